"""The timm loader, as far as it goes without torchvision, which timm needs."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.workers.models.loaders.programs import DEVICE
from workers.models.loaders.timm_model import _described
from workers.models.pipeline import load_model
from workers.repository.model_toml import InputConfig, ModelConfigError, read_config

TOML = 'name = "t"\nloader = "timm"\narchitecture = "resnet18"\nweights = "w.safetensors"\n[input]\nkind = "image"\n'
DATA = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop_pct": 0.875,
    "crop_mode": "center",
}


def test_the_preprocessing_is_timms() -> None:
    described = _described(InputConfig(kind="image"), DATA)
    assert (described.size, described.resize_to, described.interpolation) == ([224, 224], 256, "bicubic")
    assert described.mean == [0.485, 0.456, 0.406]


def test_preprocessing_that_cannot_be_done_is_refused() -> None:
    with pytest.raises(ModelConfigError, match="input: timm's preprocessing"):
        _described(InputConfig(kind="image"), {**DATA, "crop_mode": "border"})


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_without_timm_the_model_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(TOML)
    (tmp_path / "w.safetensors").touch()
    with pytest.raises(ModelConfigError, match="loader: timm cannot be imported"):
        load_model(tmp_path, DEVICE)


def test_it_needs_an_architecture(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(TOML.replace('architecture = "resnet18"\n', ""))
    with pytest.raises(ModelConfigError, match="loader 'timm' needs 'architecture'"):
        read_config(tmp_path)
