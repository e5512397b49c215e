"""What is reserved for a drawing is what it takes, or somewhat more."""

import json
import subprocess
import sys

from tests.paths import ROOT


def test_estimates_hold() -> None:
    command = [sys.executable, "-m", "tests.service.results.measured_drawing"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    measured: dict[str, tuple[float, float]] = json.loads(printed)
    assert len(measured) == 9
    for name, (taken_mib, estimated_mib) in measured.items():
        assert taken_mib <= estimated_mib, name
        assert estimated_mib <= 256, name  # the default budget, so that others are drawn meanwhile
