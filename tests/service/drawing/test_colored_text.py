"""Words and bars: what is written, what is coloured, and what no text can break."""

import re
from itertools import pairwise

import numpy as np
import pytest

from schemas.results import TextScore
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.colorbar import INK
from service.drawing.colored_text import render_text
from service.drawing.colormaps import tint
from service.drawing.sheet import Sheet
from service.drawing.wrapping import wrap
from service.languages import Language
from service.tuning import MAX_LINE_CHARS, MAX_TEXT_LINES
from tests.service.drawing.drawn import pixels

TEXT = "Una película preciosa, ¡qué lástima de final! ¿Mañana otra vez?"


def scored(text: str, values: dict[str, float]) -> list[TextScore]:
    words = re.finditer(r"\w+|[^\w\s]", text)
    return [TextScore(text=m[0], start=m.start(), end=m.end(), score=values.get(m[0], 0.0)) for m in words]


def test_words_stand_on_the_colour_of_their_sign() -> None:
    scores = scored(TEXT, {"preciosa": 2.0, "lástima": -1.0})
    drawn = pixels(render_text(TEXT, scores, size=600)).astype(int)
    sheet = Sheet(600)
    lines, _ = wrap(TEXT, scores, size=sheet.text, room=sheet.room, max_lines=9)
    pitch = round(1.75 * sheet.text)
    for row, line in enumerate(lines):
        for piece in line:
            left, top = sheet.margin + piece.left, sheet.margin + row * pitch
            red, _, blue = drawn[top + 3, left + piece.width // 2]  # above the letters
            if piece.text == "preciosa":
                assert red - blue > 80
            elif piece.text == "lástima":
                assert 20 < blue - red < 120  # half as strong
            else:
                assert red == blue == 255


def test_letters_are_legible_on_the_strongest_colours() -> None:
    def luminance(color: tuple[int, int, int]) -> float:  # WCAG 2.2
        linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for share in (-1.0, 1.0):
        assert (luminance(tint(share)) + 0.05) / (luminance(INK) + 0.05) > 4.5


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_typeface_has_every_letter_of_the_captions(lang: Language) -> None:
    for words in (*CAPTIONS[lang].values(), TEXT, typeface.MINUS + "≥ ≤ … Łódź Žižek ăşțñçœßÅøðþ жизнь αβγω"):
        assert typeface.printable(words) == words


def test_what_the_typeface_lacks_is_a_box_or_nothing() -> None:
    assert typeface.printable("映画 😀\u200b\u202e\x00\x1b a\u0301\u0489\ud800") == "□□ □ á"
    assert typeface.printable("a\tb\u2028c\u00a0d") == "a b c d"


def test_lines_are_broken_at_blanks_and_stay_in_the_sheet() -> None:
    text = "uno dos tres cuatro cinco " * 20 + "palabrainterminable" * 40
    lines, shown = wrap(text, scored(text, {}), size=16, room=300, max_lines=MAX_TEXT_LINES)
    assert shown == len(text)
    assert "".join(piece.text for line in lines for piece in line).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert line[0].left == 0
        assert line[-1].left + line[-1].width <= 300 + typeface.width(" ", 16)
        for before, after in pairwise(line):
            assert before.left + before.width == after.left
    words = {piece.text for line in lines[:8] for piece in line if piece.text.strip()}
    assert words <= {"uno", "dos", "tres", "cuatro", "cinco"}


def test_a_word_of_several_tokens_stays_together() -> None:
    text = "aaaa unbelievably"
    tokens = [
        TextScore(text=t, start=s, end=e, score=1.0) for t, s, e in (("un", 5, 7), ("believ", 7, 13), ("ably", 13, 17))
    ]
    room = typeface.width("aaaa unbelieva", 16)
    lines, _ = wrap(text, tokens, size=16, room=room, max_lines=9)
    assert [piece.text for piece in lines[1]] == ["un", "believ", "ably"]


def test_odd_offsets_are_left_out() -> None:
    spans = [(0, 0), (3, 3), (0, 4), (2, 6), (5, 99), (90, 95), (8, 6)]
    scores = [TextScore(text="?", start=start, end=end, score=1.0) for start, end in spans]
    lines, _ = wrap("abcdefghij", scores, size=16, room=400, max_lines=9)
    assert [(piece.text, piece.score) for piece in lines[0]] == [("abcd", 1.0), ("efghij", None)]


@pytest.mark.parametrize("size", [64, 400, 2048])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n" * 20_000,
        "x" * 20_000,
        "x " * 10_000,
        "\u0301" * 5_000,
        "漢" * 20_000,
        "a\r\nb\u2029c\x85d",
        "👩‍👩‍👧‍👦 \u202eabc",
    ],
    ids=["empty", "blank", "breaks", "one word", "words", "marks", "wide", "line ends", "joined"],
)
def test_no_text_breaks_or_floods_the_drawing(text: str, size: int) -> None:
    scores = [TextScore(text="x", start=i, end=i + 1, score=float(i % 3 - 1)) for i in range(min(len(text), 500))]
    height, width, _ = pixels(render_text(text, scores, title=text, lang="es", size=size)).shape
    assert width == size
    assert height <= (MAX_TEXT_LINES + 6) * 84


def test_a_long_text_is_cut_and_says_so() -> None:
    text = "word " * 4_000
    lines, shown = wrap(text, [], size=11, room=300, max_lines=MAX_TEXT_LINES)
    assert len(lines) == MAX_TEXT_LINES
    assert 0 < shown < len(text)
    english, spanish = (render_text(text, [], size=322, lang=lang) for lang in ("en", "es"))
    assert english != spanish


@pytest.mark.parametrize("score", [0.0, -0.0, 1e-300, 1e300, -5.0])
def test_any_scale_of_scores(score: float) -> None:
    scores = [TextScore(text="Una", start=0, end=3, score=score)]
    first, second = (render_text(TEXT, scores, title="¿Y?") for _ in range(2))
    assert first == second
    assert np.ptp(pixels(first)) > 100


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (-0.12345, "-0.123"), (1e-5, "1e-5"), (1.5e10, "1.5e10"), (-2e-12, "-2e-12")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    written = text.replace("-", typeface.MINUS)
    assert typeface.number(value, "en") == written
    assert typeface.number(value, "en", plus=True) == (written if value <= 0 else "+" + written)
    assert typeface.number(value, "es") == written.replace(".", ",")


@pytest.mark.parametrize("room", [0, 1, 10, 40, 100, 10_000])
def test_a_shortened_line_fits(room: int) -> None:
    line = typeface.shorten("índice de masa corporal " * 30, 16, room)
    assert typeface.width(line, 16) <= room
    assert len(line) <= MAX_LINE_CHARS + 1
