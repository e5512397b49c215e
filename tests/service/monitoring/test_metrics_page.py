"""docs/metrics.md says what the definitions say."""

import importlib.util
import re
from types import ModuleType

from schemas.telemetry import names
from tests.paths import ROOT


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("metrics_page", ROOT / "docs" / "metrics_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == script().page(), "run `python docs/metrics_page.py`"


def test_every_metric_and_every_label_is_on_the_page() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    labels = {label for one in names.ALL.values() for label in one.labels}
    assert rows == names.ALL.keys() | labels | {"le"}
