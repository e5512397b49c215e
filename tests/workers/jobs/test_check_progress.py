"""The protocol between the process that checks and the command that prints."""

import json
import subprocess
import sys

import pytest

from tests.paths import ROOT
from workers.jobs.check_progress import CheckEvent, CheckRow, CheckStarted, from_line, to_line


@pytest.mark.parametrize(
    "event",
    [
        CheckStarted(3, "net@1", "lime"),
        CheckStarted(0, "net", ""),
        CheckRow("net@1", "lime", "failed", 'on\n"two" lines', 7, 0.25, trace="File …"),
    ],
)
def test_an_event_is_one_line(event: CheckEvent) -> None:
    line = to_line(event)
    assert "\n" not in line
    assert isinstance(json.loads(line), dict)
    assert from_line(line.encode()) == event


def test_only_failed_rows_are_not_ok() -> None:
    states = {state: CheckRow("net@1", "lime", state).ok for state in ("ok", "not offered", "failed")}
    assert states == {"ok": True, "not offered": True, "failed": False}


def test_the_command_loads_no_torch_for_it() -> None:
    code = "import sys, workers.jobs.check_progress; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert loaded.stdout.strip() == "False"
