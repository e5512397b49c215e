"""Words in a terminal: right-to-left scripts, combining marks, and characters that are two columns wide."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from attribution_client.wire.answers import TextScore
from cli.client.terminal import sentence, word_table

TEXTS = {
    "arabic": "مَرْحَبًا بالعالم",
    "hebrew": "שָׁלוֹם עולם",
    "thai": "สวัสดี ชาวโลก",
    "hindi": "नमस्ते दुनिया",
    "chinese": "电影 很好",
    "emoji": "👍🏽 ❤️ 👨\u200d👩\u200d👧",
}


def words_of(text: str) -> list[TextScore]:
    """The words between blanks, with scores 1, -2, 3 and so on."""
    found, start = [], 0
    for number, part in enumerate(text.split(" "), start=1):
        score = float(number if number % 2 else -number)
        found.append(TextScore(text=part, start=start, end=start + len(part), score=score))
        start += len(part) + 1
    return found


def lines_of(what: RenderableType, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(what)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written.splitlines()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_sentence_is_coloured_word_by_word(text: str) -> None:
    coloured = sentence(text, words_of(text))
    assert coloured.plain == text
    spans = [(span.start, span.end) for span in coloured.spans if span.style]
    assert [text[start:end] for start, end in spans] == text.split(" ")


@pytest.mark.parametrize("width", [20, 100])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_table_of_words_stays_in_the_terminal(text: str, width: int) -> None:
    words = words_of(text)
    lines = lines_of(word_table(words, top=10), width)
    assert all(cell_len(line) <= width for line in lines)
    if width == 100:
        rows = [line for line in lines if "│" in line]
        assert len(rows) == len(words)
        for row, word in zip(rows, words, strict=True):
            assert word.text in row
            assert f"{word.score:+.3f}" in row
