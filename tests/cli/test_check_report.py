"""`attribution models check`: what it prints, and that it continues after any model."""

import subprocess
import sys
from io import StringIO
from itertools import islice
from pathlib import Path

from rich.console import Console

from cli.check_process import supervised_check
from cli.check_report import Report
from workers.jobs.check_progress import CheckRow

LIMIT_S = 2.0
TOML = 'name = "{0}"\nfactory = "model.py:build"\n[input]\nkind = "tensor"\nshapes = [[4]]\n'
SPINS = """import threading

from torch import nn


class Spins(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        while any(thread.name.startswith("engine-") for thread in threading.enumerate()):
            pass
        return self.head(x)


build = Spins
"""
DIES = "import os\n\n\ndef build():\n    print('about to end', flush=True)\n    os._exit(7)\n"
RAISES = "def build():\n    raise ValueError('not today')\n"


def save(directory: Path, name: str, code: str) -> None:
    (directory / name).mkdir()
    (directory / name / "model.toml").write_text(TOML.format(name))
    (directory / name / "model.py").write_text(code)


def test_a_model_that_hangs_or_ends_the_process_fails_alone(tmp_path: Path) -> None:
    for name, code in (("a-dies", DIES), ("b-raises", RAISES), ("c-spins", SPINS)):
        save(tmp_path, name, code)
    found = (event for event in supervised_check([tmp_path], LIMIT_S) if isinstance(event, CheckRow))
    dies, raises, first, second = islice(found, 4)
    assert (dies.model, dies.method, dies.state) == ("a-dies", "", "failed")
    assert dies.detail == "it ended the process: exit code 7"
    assert "about to end" in dies.trace
    assert (raises.model, raises.state) == ("b-raises@1", "failed")
    assert raises.detail == "model.py line 2 in build: ValueError: not today"
    assert (first.model, first.method, second.method) == ("c-spins@1", "saliency", "input_x_gradient")
    assert first.detail == second.detail == "it took longer than the limit of 2 s"


def printed(*rows: CheckRow, verbose: bool = False) -> str:
    out = Console(file=StringIO(), width=80, color_system=None)
    report = Report(out, verbose=verbose)
    for row in rows:
        report.add(row)
    report.end()
    written: str = out.file.getvalue()  # type: ignore[attr-defined]
    return written


def test_states_are_aligned_and_reasons_are_printed_once() -> None:
    lines = printed(
        CheckRow("tiny@1", "saliency", "ok", rows=3, seconds=0.25),
        CheckRow("tiny@1", "lrp", "not offered", "no rule"),
        CheckRow("tiny@1", "lime", "failed", "ValueError: no", trace='File "model.py", line 3'),
        CheckRow("tiny@1", "layer_lrp", "not offered", "no rule"),
        CheckRow("tiny@1", "occlusion", "not offered", "no rule"),
        CheckRow("other@1", "lrp", "not offered", "no rule"),
    ).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "tiny@1",
        "ok saliency 3 rows 0.25 s",
        "not offered lrp",
        "no rule",
        "failed lime",
        "ValueError: no",
        'File "model.py", line 3',
        "not offered the same as lrp for 2 more methods:",
        "layer_lrp, occlusion",
        "other@1",
        "not offered lrp",
        "no rule",
        "1 ok, 4 not offered, 1 failed",
    ]
    words = ("saliency", "lrp", "no rule", "lime")
    assert len({line.index(word) for line, word in zip(lines[1:5], words, strict=True)}) == 1


def test_a_row_is_printed_when_it_comes() -> None:
    out = Console(file=StringIO(), width=80, color_system=None)
    Report(out).add(CheckRow("tiny@1", "saliency", "ok", rows=3))
    assert "saliency" in out.file.getvalue()  # type: ignore[attr-defined]


def test_a_verbose_report_repeats_reasons() -> None:
    rows = [CheckRow("net@1", name, "failed", "the same reason") for name in ("saliency", "lime", "lrp")]
    assert printed(*rows).count("the same reason") == 1
    assert printed(*rows, verbose=True).count("the same reason") == 3


def test_a_verbose_check_shows_what_a_model_prints(tmp_path: Path) -> None:
    save(tmp_path, "a-dies", DIES)
    command = [sys.executable, "-P", "-m", "cli", "models", "check", "--verbose", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "about to end" in done.stderr
    assert "it ended the process: exit code 7" in done.stdout
