"""Bars and curves as SVG: the same layout as the pixels, well-formed and harmless whatever the names are."""

from xml.etree import ElementTree as ET

import pytest

from schemas.results import FeatureScore
from service.drawing.colormaps import solid
from service.drawing.curves import render_curves
from service.drawing.feature_bars import render_bars
from service.drawing.svg_pen import SvgPen
from tests.service.drawing.drawn import pixels
from tests.service.drawing.test_curves import metric

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><image href="http://127.0.0.1:1/x"/>',
    "&lt;b&gt; & ]]> <!-- ",
    "a\x00b\x0b\x1b[2J\ufffe",
    "\u202eright to left",
    "' onload='alert(1)",
]
HARMLESS = {f"{SVG}{tag}" for tag in ("svg", "title", "rect", "text", "line", "polyline", "polygon")}


def color(sign: float) -> str:
    return "#{:02x}{:02x}{:02x}".format(*solid(sign))


def parsed(document: bytes) -> ET.Element:
    root = ET.fromstring(document)
    assert {element.tag for element in root.iter()} <= HARMLESS
    for element in root.iter():
        assert not {name for name in element.attrib if name.startswith("on") or "href" in name}
    return root


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_nothing_else(name: str) -> None:
    features = [FeatureScore(name=name, value=1.0, score=2.0), FeatureScore(name="b", value=0.0, score=-1.0)]
    root = parsed(render_bars(features, title=["one", name], vector=True))
    assert len(root.findall(f"{SVG}rect")) == 1 + 2 + 2  # the sheet, two bars, two squares of the legend
    parsed(render_curves(metric([1, 0.5, 0], [0, 0.5, 1]), 0, target=name, title=name, notes=[name], vector=True))


def test_escaped_names_read_as_they_are() -> None:
    root = parsed(render_bars([FeatureScore(name="a < b & c", value=1.0, score=2.0)], vector=True))
    assert "a < b & c" in [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("size", [64, 720, 4096])
def test_bars_have_the_layout_of_the_pixels(size: int) -> None:
    features = [FeatureScore(name=f"column {k}", value=k, score=(-1) ** k * (k + 1.0)) for k in range(5)]
    png = pixels(render_bars(features, title="a title", size=size))
    root = parsed(render_bars(features, title="a title", size=size, vector=True))
    assert (int(root.attrib["height"]), int(root.attrib["width"])) == png.shape[:2]
    for sign in (1.0, -1.0):
        for rect in root.findall(f"{SVG}rect[@fill='{color(sign)}']"):
            x, y, width, height = (round(float(rect.attrib[key])) for key in ("x", "y", "width", "height"))
            inner = png[y : y + height, x + (sign > 0) : x + width - (sign < 0)]  # without the line at zero
            assert (inner == solid(sign)).all()


def test_another_typeface_is_fitted_to_the_room_of_the_layout() -> None:
    features = [FeatureScore(name="a long name of a column", value=0.00129, score=1.0)]
    texts = list(parsed(render_bars(features, vector=True)).iter(f"{SVG}text"))
    (name,) = [one for one in texts if one.text == "a long name of a column"]
    (value,) = [one for one in texts if (one.text or "").endswith("= 0.00129")]
    assert all(one.attrib["lengthAdjust"] == "spacingAndGlyphs" for one in texts)
    assert float(name.attrib["x"]) <= float(value.attrib["x"]) - float(value.attrib["textLength"])


def test_curves_go_through_their_values() -> None:
    root = parsed(render_curves(metric([1, 0.5, 0], [0, 0.25, 1]), 0, target="cat", vector=True))
    curves = {line.attrib["stroke"]: line.attrib["points"] for line in root.iter(f"{SVG}polyline")}
    assert set(curves) == {color(1.0), color(-1.0)}
    heights = [float(place.split(",")[1]) for place in curves[color(1.0)].split()]
    low, middle, high = heights
    assert low > middle > high  # y runs down
    assert (low - middle) / (low - high) == pytest.approx(0.25, abs=0.01)
    assert len(root.findall(f"{SVG}polygon")) == 2


def test_equal_drawings_give_equal_bytes() -> None:
    pens = [SvgPen(100, 50, "title") for _ in range(2)]
    for pen in pens:
        pen.rectangle((1, 2, 3, 4), fill=(1, 2, 3))
        pen.line((0, 0, 10.5, 10), fill=(255, 0, 0), width=2)
    assert pens[0].encode() == pens[1].encode()
    assert ET.fromstring(pens[0].encode()).find(f"{SVG}title").text == "title"  # type: ignore[union-attr]
