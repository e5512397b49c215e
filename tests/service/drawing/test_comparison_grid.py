"""The grid of a comparison's sheet: aligned, and no text beyond its place."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.drawing import typeface
from service.drawing.comparison_grid import Drawing, Measures, Panel, draw_grid, wrapped
from service.drawing.png import encode

SIZE = (160, 120)
RED, BLUE = (200, 10, 10), (10, 10, 200)
LONG = "Layer Gradient x Activation of a module with a name that no line can hold " * 3


def panel(color: tuple[int, int, int], heading: str = "Saliency", height: int = SIZE[1]) -> Panel:
    return Panel(
        heading, Drawing.of(encode(Image.new("RGB", (SIZE[0], height), color))), notes=[["n_steps = 50", LONG], [LONG]]
    )


def drawn(rows: list[list[Panel]]) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(draw_grid([["Comparison"], [LONG]], rows, [[LONG, LONG]], SIZE, "en"))) as image:
        return np.asarray(image.convert("RGB"))


def box(pixels: NDArray[np.uint8], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((pixels == color).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_panels_of_a_row_stand_at_one_height_whatever_their_headings() -> None:
    pixels = drawn([[panel(RED, LONG), panel(BLUE)]])
    first, second = box(pixels, RED), box(pixels, BLUE)
    assert first[1::2] == second[1::2]
    assert first[2] - first[0] == second[2] - second[0] == SIZE[0]
    assert second[0] - first[2] == Measures(*SIZE).gap


def test_panels_of_a_column_stand_below_each_other() -> None:
    pixels = drawn([[panel(RED)], [panel(BLUE, LONG, height=200)]])
    first, second = box(pixels, RED), box(pixels, BLUE)
    assert first[0::2] == second[0::2]
    assert second[1] > first[3]


def test_nothing_is_drawn_in_the_margin() -> None:
    pixels = drawn([[panel(RED, LONG), Panel(LONG, message=LONG), panel(BLUE)], [panel(RED)]])
    margin = Measures(*SIZE).margin - 2  # the hairline around a picture
    for edge in (pixels[:margin], pixels[-margin + 8 :], pixels[:, :margin], pixels[:, -margin:]):
        assert (edge == 255).all()


@pytest.mark.parametrize("text", ["", "one", LONG, "x" * 500, "ñandú " * 40, "a\nb\tc"])
@pytest.mark.parametrize("most", [1, 2, 5])
def test_wrapped_lines_fit(text: str, most: int) -> None:
    lines = wrapped(text, 12, 120, most)
    assert len(lines) <= most
    assert all(typeface.width(line, 12) <= 120 for line in lines)
    if text == "one":
        assert lines == ["one"]
