"""Rules that an operator gives modules for LRP are kept over any number of jobs; Captum 0.9.0 drops them after one."""

from pathlib import Path

import pytest
import torch
from captum.attr import LRP, LayerLRP
from torch import nn

from schemas.methods import LayerLrp, Lrp
from tests.workers.toys import CPU, RunningJob, problem_of
from workers.config import read_config
from workers.engine.gate import DeviceGate
from workers.loaders import load
from workers.resident import Device, load_model

TOML = """
name = "ruled"
factory = "model.py:build"
[input]
kind = "tensor"
dtype = "float64"
shapes = [[6]]
"""
PY = """
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, GammaRule
from torch import nn


def build():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.Sigmoid(), nn.Linear(5, 3))
    model[0].rule = Alpha1_Beta0_Rule()
    model[2].rule = GammaRule(gamma=0.4)
    model[3].rule = GammaRule()  # a layer that Captum has no rule for
    return model
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ruled"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    return folder


def fresh(folder: Path) -> nn.Module:
    """The model, on which no call was made yet."""
    return load(read_config(folder), folder).module


def test_rules_are_kept_over_jobs(folder: Path) -> None:
    model = load_model(folder, Device(CPU, 1, 8, DeviceGate()))
    assert all(one.supported for one in model.card.methods if one.name in {"lrp", "layer_lrp"})
    weights = [weight.clone() for weight in model.engine.view.module.parameters()]
    inputs = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model.engine.start()
    for _ in range(2):  # one after the other, and several at once
        jobs = [RunningJob(model.engine, Lrp(), problem_of([x[None]], [1])) for x in inputs]
        at_layer = RunningJob(model.engine, LayerLrp(layer="2"), problem_of([inputs[:1]], [1]))
        for x, job in zip(inputs, jobs, strict=True):
            expected = LRP(fresh(folder)).attribute(x[None], target=1)
            torch.testing.assert_close(job.result().attributions[0], expected, rtol=1e-12, atol=1e-14)
        other = fresh(folder)
        expected = LayerLRP(other, other[2]).attribute(inputs[:1], target=1)
        torch.testing.assert_close(at_layer.result().attributions[0], expected, rtol=1e-12, atol=1e-14)
    model.engine.stop()
    assert all(map(torch.equal, weights, model.engine.view.module.parameters()))


def test_captum_as_it_came_loses_them(folder: Path) -> None:
    """Fails when a later Captum keeps them."""
    model = fresh(folder)[:3]
    LRP(model).attribute(torch.ones(1, 6, dtype=torch.float64), target=1)
    assert not any(hasattr(part, "rule") for part in model)
