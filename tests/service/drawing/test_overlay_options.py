"""The query parameters as a client reads and writes them."""

import subprocess
import sys
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from service.drawing.colormaps import SOURCES, table
from service.drawing.overlay_options import Diverging, OverlayOptions, Sequential


def test_choices_are_listed_in_the_schema() -> None:
    fields = OverlayOptions.model_json_schema()["properties"]
    assert fields["style"]["enum"] == ["blend", "heatmap", "masked", "side_by_side"]
    assert fields["sign"]["enum"] == ["absolute", "positive", "negative", "all"]
    assert set(fields["colormap"]["anyOf"][0]["enum"]) == set(SOURCES)
    assert all(field["description"] for field in fields.values())


def test_every_colormap_exists() -> None:
    assert set(SOURCES) == {*get_args(Sequential), *get_args(Diverging)}
    for name in SOURCES:
        assert table(name).shape == (256, 3)


@pytest.mark.parametrize("name", get_args(Diverging))
def test_diverging_colormaps_are_pale_in_the_middle_and_warm_at_the_top(name: Any) -> None:
    colors = table(name).astype(int)
    assert colors[128].min() > 200
    assert colors[230, 0] > colors[230, 2]


@pytest.mark.parametrize(
    "query",
    [
        {"style": "outline"},
        {"sign": "both"},
        {"colormap": "rainbow"},
        {"alpha": 1.1},
        {"alpha": float("nan")},
        {"percentile": 49},
        {"limit": 0},
        {"limit": float("inf")},
        {"smooth": 0.2},
        {"size": 63},
        {"size": 4097},
        {"colour": "red"},
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OverlayOptions.model_validate(query)


def test_drawing_needs_neither_torch_nor_matplotlib_nor_fastapi() -> None:
    code = (
        "import sys; from service.drawing import image_overlay, colored_text, feature_bars, curves; "
        "from service.pictures import decode; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "matplotlib", "fastapi", "captum"} & set(loaded)
