"""What the code of a model's folder imports: its own files first, whatever else has their names."""

import importlib
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import schemas
import workers
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.models.loaders import load_module
from workers.models.pipeline import load_model
from workers.models.resident import Device
from workers.repository.model_toml import read_config

DEVICE = Device(CPU, 1, 8, DeviceGate())
TOML = """
name = "{name}"
factory = "{factory}"
[input]
kind = "tensor"
dtype = "float64"
shapes = [[4]]
"""
NET = "from torch import nn\n\n\nclass Net(nn.Linear):\n    def __init__(self):\n        super().__init__(4, {size})\n"
TAKEN = ("schemas", "workers", "service", "broker", "cli", "tests", "numpy")


def folder(path: Path, files: dict[str, str], factory: str = "model.py:build") -> Path:
    for name, source in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    (path / "model.toml").write_text(TOML.format(name=path.name, factory=factory))
    return path


def outputs(path: Path) -> int:
    """The number of outputs of the folder's model, once it has loaded, run and proved its methods."""
    card = load_model(path, DEVICE).card
    assert card.status == "ready"
    assert card.output is not None
    return card.output.size


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize(
    "imported",
    [
        "from {name} import Net\nbuild = Net\n",
        "import {name}\nbuild = {name}.Net\n",
        "import {name} as other\nbuild = other.Net\n",
        "def build():\n    from {name} import Net\n    return Net()\n",
        "from .{name} import Net\nbuild = Net\n",
    ],
    ids=["from", "import", "as", "late", "relative"],
)
def test_a_file_called_like_a_module_that_is_taken(tmp_path: Path, name: str, imported: str) -> None:
    there = sys.modules.get(name)
    files = {"model.py": imported.format(name=name), f"{name}.py": NET.format(size=3)}
    assert outputs(folder(tmp_path / "one", files)) == 3
    assert sys.modules.get(name) is there


def test_packages_of_the_folder(tmp_path: Path) -> None:
    """They import each other by absolute and relative names, a name within them too, and the file that imports them."""
    files = {
        "model.py": "SIZE = 3\nimport schemas.nets.wide\nfrom workers import start\n"
        "def build():\n    assert start.schemas is schemas\n    return schemas.nets.wide.Net()\n",
        "schemas/__init__.py": "",
        "schemas/nets/__init__.py": "",
        "schemas/nets/wide.py": "import model\nfrom ..sizes import doubled\n" + NET.format(size="doubled(model.SIZE)"),
        "schemas/sizes.py": "def doubled(n):\n    return 2 * n\n",
        "workers/__init__.py": "",
        "workers/start.py": "import schemas.sizes\n",
    }
    assert outputs(folder(tmp_path / "packages", files)) == 6


def test_the_file_that_is_imported_back_has_run_once(tmp_path: Path) -> None:
    files = {
        "model.py": "import blocks\nruns = globals().get('runs', 0) + 1\ndef build():\n    return blocks.made(runs)\n",
        "blocks.py": "def made(runs):\n    import model\n    from torch import nn\n"
        "    assert model.runs == runs == 1\n    return nn.Linear(4, 2)\n",
    }
    assert outputs(folder(tmp_path / "circle", files)) == 2


def test_a_factory_of_a_package_in_the_folder(tmp_path: Path) -> None:
    files = {"schemas/__init__.py": "", "schemas/net.py": NET.format(size=5)}
    assert outputs(folder(tmp_path / "package", files, factory="schemas.net:Net")) == 5


def test_a_factory_below_the_folder_finds_what_is_beside_it(tmp_path: Path) -> None:
    files = {"code/model.py": "from workers import Net\nbuild = Net\n", "code/workers.py": NET.format(size=2)}
    assert outputs(folder(tmp_path / "below", files, factory="code/model.py:build")) == 2


def test_two_models_with_files_of_one_name(tmp_path: Path) -> None:
    made = [
        folder(
            tmp_path / f"model-{size}",
            {"model.py": "import schemas\nbuild = schemas.Net\n", "schemas.py": NET.format(size=size)},
        )
        for size in (2, 3)
    ]
    assert [outputs(path) for path in (*made, made[0])] == [2, 3, 2]


def test_an_import_in_forward_when_other_models_are_loaded(tmp_path: Path) -> None:
    late = (
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
        "        from schemas import SIZE\n        return x[:, :SIZE]\n\n\nbuild = Net\n"
    )
    nets: list[nn.Module] = []
    for size in (2, 3):
        path = folder(tmp_path / f"late-{size}", {"model.py": late, "schemas.py": f"SIZE = {size}\n"})
        nets.append(load_module(read_config(path), path).module)
    assert [net(torch.zeros(1, 4)).shape[1] for net in nets] == [2, 3]


def test_the_standard_library_keeps_its_names(tmp_path: Path) -> None:
    files = {
        "model.py": "import random, json\nfrom .json import Net\n"
        "assert random.random() < 1 and json.dumps([]) == '[]'\nbuild = Net\n",
        "random.py": "raise AssertionError('not this one')\n",
        "json.py": NET.format(size=2),
    }
    assert outputs(folder(tmp_path / "standard", files)) == 2


def test_a_folder_without_code_hides_no_package(tmp_path: Path) -> None:
    files = {"model.py": "import numpy\nnumpy.zeros(1)\nfrom torch import nn\nbuild = lambda: nn.Linear(4, 2)\n"}
    files["numpy/notes.txt"] = "weights as numpy files\n"
    assert outputs(folder(tmp_path / "notes", files)) == 2


def test_a_name_that_nothing_has(tmp_path: Path) -> None:
    path = folder(tmp_path / "missing", {"model.py": "import blocks_that_are_missing\n"})
    with pytest.raises(ModuleNotFoundError, match="blocks_that_are_missing"):
        load_module(read_config(path), path)


def test_the_service_keeps_its_own_modules(tmp_path: Path) -> None:
    files = {
        "model.py": "import schemas, workers\nbuild = schemas.Net\n",
        "schemas.py": NET.format(size=2),
        "workers.py": "",
    }
    assert outputs(folder(tmp_path / "both", files)) == 2
    assert importlib.import_module("schemas") is schemas
    assert importlib.import_module("workers") is workers
