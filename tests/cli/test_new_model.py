"""A new model folder works as it is written, and is refused where it would overwrite something."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.model_templates import MODEL_TOML

TIMEOUT_S = 300.0


def models(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "cli", "models", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=environment)


@pytest.mark.slow
def test_each_kind_passes_the_check(tmp_path: Path) -> None:
    for kind in MODEL_TOML:
        done = models("new", tmp_path / kind, "--kind", kind)
        assert done.returncode == 0, done.stderr
        assert f"attribution models check {tmp_path}" in done.stdout
        document = tomllib.loads((tmp_path / kind / "model.toml").read_text("utf-8"))
        assert document["name"] == kind
    checked = models("check", tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert ", 0 failed" in checked.stdout
    for kind in MODEL_TOML:
        assert f"{kind}@1" in checked.stdout
    assert checked.stdout.count("integrated_gradients") >= 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    done = models("new", folder)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [one.name for one in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("name", "message"), [("a model", "is no name of a model"), ("file/below", "Not a directory")])
def test_what_cannot_be_made(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_text("")
    done = models("new", tmp_path / name)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
