"""What the page offers is what the service takes."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

from schemas.limits import MAX_IMAGE_BYTES, MAX_TEXT_CHARS
from schemas.metric_requests import QUALITY_NAMES
from service.drawing.overlay_options import Diverging, OverlayOptions, Sequential, Sign, Style

STATIC = Path(str(files("service.web"))) / "static"


def constant(module: str, name: str) -> object:
    found = re.search(rf"^(?:export )?const {name} = (.*?);(?: //.*)?$", (STATIC / module).read_text(), re.MULTILINE)
    assert found is not None
    return json.loads(re.sub(r"(\w+):", r'"\1":', found[1]))


def test_the_choices_of_an_overlay() -> None:
    for name, choices in {"STYLES": Style, "SIGNS": Sign, "SEQUENTIAL": Sequential, "DIVERGING": Diverging}.items():
        assert constant("lib/overlay_options.js", name) == list(get_args(choices))


def test_the_bounds_of_an_overlay() -> None:
    properties = OverlayOptions.model_json_schema()["properties"]
    for name in ("alpha", "percentile"):
        offered = constant("lib/overlay_options.js", name.upper())
        assert isinstance(offered, dict)
        bounds = {"min": properties[name]["minimum"], "max": properties[name]["maximum"]}
        assert {"min": offered["min"], "max": offered["max"]} == bounds
        assert offered["initial"] == properties[name]["default"]
    smooth = constant("lib/overlay_options.js", "SMOOTH")
    assert isinstance(smooth, dict)
    assert smooth["max"] == properties["smooth"]["anyOf"][0]["maximum"]


def test_the_metrics() -> None:
    offered = constant("views/try/QualityChoice.js", "METRICS")
    assert isinstance(offered, list)
    assert set(offered) <= set(QUALITY_NAMES)


def test_the_bounds_of_inputs() -> None:
    text = (STATIC / "lib" / "picture.js").read_text()
    assert f"MAX_BYTES = {MAX_IMAGE_BYTES // 1024 // 1024} * 1024 * 1024;" in text
    assert f"MAX_CHARS = {MAX_TEXT_CHARS:_};" in (STATIC / "parts" / "TextEditor.js").read_text()
