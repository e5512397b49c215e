"""axe-core, which finds what keeps people out who use a keyboard, a screen reader or little contrast."""

import hashlib
import json
from typing import Any

from playwright.sync_api import Page

from tests.paths import ROOT

FOLDER = ROOT / "tests" / "data" / "axe"
SCRIPT = FOLDER / "axe.min.js"
GRAVE = {"serious", "critical"}


def axe_is_as_published() -> bool:
    """Whether the vendored file is the one whose hash `axe.json` gives."""
    known: str = json.loads((FOLDER / "axe.json").read_text())["sha256"][SCRIPT.name]
    return hashlib.sha256(SCRIPT.read_bytes()).hexdigest() == known


def grave_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on a page that was opened with `SCRIPT`: the rule, and the elements."""
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['impact']}: {rule['id']} ({rule['help']}): {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
