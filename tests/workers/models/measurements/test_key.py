"""The key: equal for equal loads, and another one where anything differs that measurements depend on."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.paths import ROOT
from tests.workers.models.measurements.entries import PY, TOML, device_with, write_folder
from workers.models.measurements import key as key_module
from workers.models.measurements.key import measurement_key
from workers.models.pipeline import load, read
from workers.models.resident import Device
from workers.repository.folders import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "tiny")


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"):
        monkeypatch.delenv(name, raising=False)


def key_of(folder: Path, device: Device | None = None) -> str:
    return measurement_key(load(read(folder, device or device_with(None))), fingerprint(folder))


def test_equal_loads_have_equal_keys(folder: Path) -> None:
    assert key_of(folder) == key_of(folder)
    assert len(key_of(folder)) == 64


def _weights(folder: Path) -> None:
    (folder / "model.py").write_text(PY.replace("manual_seed(0)", "manual_seed(1)"))


CHANGES: dict[str, Callable[[Path], object]] = {
    "configuration": lambda folder: (folder / "model.toml").write_text(TOML + '[output]\nlabels = ["no", "yes"]\n'),
    "weights": _weights,
    "code": lambda folder: (folder / "model.py").write_text(PY + "\n# a comment\n"),
    "code beside it": lambda folder: (folder / "helper.py").write_text("x = 1\n"),
    "a file that code may read": lambda folder: (folder / "config.json").write_text("{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_folder(folder: Path, change: str) -> None:
    before = key_of(folder)
    CHANGES[change](folder)
    assert key_of(folder) != before


def test_a_change_of_the_device(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = device_with(None)
    keys = [key_of(folder, one) for one in (device, replace(device, threads=2), replace(device, batch_rows=16))]
    monkeypatch.setattr(key_module, "_hardware", lambda device: ["another processor"])
    assert len({*keys, key_of(folder)}) == 4


@pytest.mark.parametrize("name", ["OMP_PROC_BIND", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "TORCH_ANYTHING"])
def test_a_variable_that_chooses_kernels(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = key_of(folder)
    monkeypatch.setenv(name, "1")
    assert key_of(folder) != before
    monkeypatch.delenv(name)
    monkeypatch.setenv("ATTRIBUTION_WORKER_ID", "another")
    assert key_of(folder) == before


def test_tf32_that_a_load_may_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(folder)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", not torch.backends.cudnn.allow_tf32)
    assert key_of(folder) != before


@pytest.mark.parametrize("changed", ["sys", "code"])
def test_other_software(folder: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = key_of(folder)
    software = key_module._software()
    other = ("another Python", *software[1:]) if changed == "sys" else (*software[:-1], "another digest")
    monkeypatch.setattr(key_module, "_software", lambda: other)
    assert key_of(folder) != before


def test_a_process_that_has_imported_more(folder: Path) -> None:
    """A process that stands by imports what others import later."""
    code = (
        "import sys; from pathlib import Path; from cli.worker import LIBRARIES; import importlib\n"
        "[importlib.import_module(name) for name in LIBRARIES if 'more' in sys.argv]\n"
        "from tests.workers.models.measurements.test_key import key_of; print(key_of(Path(sys.argv[1])))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(folder), how], cwd=ROOT, check=True, capture_output=True
        ).stdout
        for how in ("more", "less")
    }
    assert len(keys) == 1
