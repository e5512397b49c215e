"""Words and columns of scripts that the typeface lacks: boxes, on the colours of their scores, in the sheet."""

import pytest

from schemas.results import FeatureScore, TextScore
from service.drawing.colored_text import render_text
from service.drawing.feature_bars import render_bars
from service.drawing.sheet import Sheet
from service.drawing.wrapping import wrap
from tests.service.drawing.drawn import pixels

TEXTS = {
    "arabic": "مَرْحَبًا بالعالم",
    "hebrew": "שָׁלוֹם עולם",
    "thai": "สวัสดี ชาวโลก",
    "hindi": "नमस्ते दुनिया",
    "chinese": "电影 很好",
    "emoji": "👍🏽 ❤️ 👨\u200d👩\u200d👧",
}
SIZES = [64, 600]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_words_have_their_colours(text: str, size: int) -> None:
    first, *_ = text.split(" ")
    scores = [TextScore(text=first, start=0, end=len(first), score=1.0)]
    drawn = pixels(render_text(text, scores, title=text, size=size)).astype(int)
    assert drawn.shape[1] == size
    sheet = Sheet(size)
    lines, shown = wrap(text, scores, size=sheet.text, room=sheet.room, max_lines=20)
    piece = lines[0][0]
    assert shown == len(text)
    assert piece.score == 1.0
    assert piece.width > 0
    row = sheet.margin + sheet.title_height(text) + 3  # above the letters
    red, _, blue = drawn[row, sheet.margin + piece.width // 2]
    assert red - blue > 80


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_columns_may_have_such_names(text: str, size: int) -> None:
    columns = [FeatureScore(name=name, value=1.0, score=score) for name, score in ((text, 2.0), (text * 90, -1.0))]
    drawn = pixels(render_bars(columns, title=text, size=size))
    assert drawn.shape[1] == size
    assert (drawn[:, -1] == 255).all()  # the margin
