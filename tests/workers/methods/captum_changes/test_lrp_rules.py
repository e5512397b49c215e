"""LRP: an operator's own rules are kept over any number of jobs, and layers that Captum has no rule for have one."""

from pathlib import Path

import pytest
import torch
from captum.attr import LRP, LayerLRP
from torch import Tensor, nn

from schemas.methods import LayerLrp, Lrp
from tests.workers.toys import CPU, RunningJob, frozen, problem_of
from workers.engine.device.gate import DeviceGate
from workers.methods.captum_changes.deep_lift_rules import ClippedReLU
from workers.methods.captum_changes.lrp_rules import ELEMENTWISE
from workers.models.loaders import load_module
from workers.models.pipeline import load_model
from workers.models.resident import Device
from workers.repository.model_toml import read_config

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
from torch import Tensor, nn


def build():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.Sigmoid(), nn.Linear(5, 3))
    model[0].rule = Alpha1_Beta0_Rule()
    model[2].rule = GammaRule(gamma=0.4)
    model[3].rule = GammaRule()
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
    return load_module(read_config(folder), folder).module


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


class Signal(nn.Module):
    """(rows, 2, 12) -> (rows, 3), of layers that Captum has no rule for."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3)
        self.norm = nn.BatchNorm1d(4)
        self.first = activation
        self.up = nn.ConvTranspose1d(4, 3, 2, stride=2)
        self.pool = nn.AvgPool1d(4)
        self.second = nn.Sigmoid()
        self.head = nn.Linear(15, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.norm(self.conv(x)))
        return self.head(self.second(self.pool(self.up(x))).flatten(1))


@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_epsilon_rule_by_its_definition(kind: type[nn.Module]) -> None:
    """Each linear layer hands down in proportion to what it was given; activations hand on what they get."""
    model = frozen(Signal(kind(1.0) if kind is ClippedReLU else kind()))
    x = torch.randn(2, 2, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    steps: list[tuple[nn.Module, bool]] = [
        (model.conv, True),
        (model.norm, True),
        (model.first, False),
        (model.up, True),
        (model.pool, True),
        (model.second, False),
        (nn.Flatten(), False),
        (model.head, True),
    ]
    values = [x]
    for step, _ in steps:
        values.append(step(values[-1]))
    relevance = torch.zeros_like(values[-1])
    relevance[:, 1] = values[-1][:, 1]
    for (step, linear), value, given in zip(steps[::-1], values[-2::-1], values[:0:-1], strict=True):
        if not linear:
            relevance = relevance.reshape(value.shape)
            continue
        leaf = value.detach().requires_grad_()
        share = relevance / (given + 1e-9 * torch.where(given >= 0, 1.0, -1.0))
        relevance = leaf.detach() * torch.autograd.grad((step(leaf) * share).sum(), leaf)[0]
    torch.testing.assert_close(LRP(model).attribute(x, target=1), relevance, rtol=1e-6, atol=1e-9)
