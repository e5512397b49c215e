"""Models as they are written: hook methods are right on them, or refused with the module and the reason."""

from pathlib import Path

import pytest
import torch

from schemas.methods import AnyMethod, DeepLift, DeepLiftShap, GuidedBackprop, NeuronDeepLift
from tests.workers.toys import CPU, RunningJob, problem_of
from workers.engine.gate import DeviceGate
from workers.resident import Device, ResidentModel, load_model

TOML = """
name = "written"
factory = "model.py:build"
[input]
kind = "tensor"
dtype = "float64"
shapes = [[3, 8, 8]]
[explain]
layer = "second"
"""
PY = '''
import torch
from torch import nn
from torch.nn import functional as F


class Written(nn.Module):
    """Functional, in place, reused: as people write them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4 * 4 * 4, 3)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = x + F.relu(self.second(x))
        x = F.max_pool2d(self.relu(x), 3, stride=2, padding=1)
        return self.head(ACTIVATION(x).flatten(1))


def build():
    return Written()
'''


def load(tmp_path: Path, activation: str) -> ResidentModel:
    folder = tmp_path / "written"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY.replace("ACTIVATION", activation))
    return load_model(folder, Device(CPU, 1, 8, DeviceGate()))


def draw(rows: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, 3, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("method", [DeepLift(), DeepLiftShap()], ids=lambda m: m.name)
def test_deep_lift_adds_up(tmp_path: Path, method: AnyMethod) -> None:
    """Beside others of its kind, over max pools whose windows overlap, in-place, reused and functional activations."""
    model = load(tmp_path, "F.gelu")
    assert all(one.supported for one in model.card.methods if "deep_lift" in one.name or "guided" in one.name)
    model.engine.start()
    inputs, baselines = draw(3, 1), draw(3, 2)
    jobs = [RunningJob(model.engine, method, problem_of([inputs], [0, 1, 2], [baselines], [baselines]))]
    jobs += [RunningJob(model.engine, DeepLift(), problem_of([draw(2, 5 + k)], [k, 1])) for k in range(3)]
    outcomes = [job.result() for job in jobs]
    with torch.no_grad():
        start, end = model.engine.view.module(baselines), model.engine.view.module(inputs)
    if method.name == "deep_lift_shap":  # every input against every baseline
        start = start.mean(dim=0, keepdim=True)
    total = outcomes[0].attributions[0].flatten(1).sum(1)
    assert torch.allclose(total, (end - start).diagonal(), rtol=1e-9, atol=1e-9)
    assert all(torch.allclose(o.delta, torch.zeros(2).double(), atol=1e-9) for o in outcomes[1:] if o.delta is not None)
    model.engine.stop()


def test_layers_and_units_keep_their_names(tmp_path: Path) -> None:
    model = load(tmp_path, "torch.tanh")
    model.engine.start()
    unit = NeuronDeepLift(layer="second", neuron_selector=[1, 2, 3])
    jobs = [RunningJob(model.engine, m, problem_of([draw(1, 3)], [1])) for m in (unit, GuidedBackprop())]
    assert all(job.result().attributions[0].shape == (1, 3, 8, 8) for job in jobs)
    assert all(job.task.passes >= 2 for job in jobs)  # the endpoints, and the method's own
    model.engine.stop()


def test_what_has_no_rule_is_refused_by_name(tmp_path: Path) -> None:
    support = {one.name: one for one in load(tmp_path, "torch.sin").card.methods}
    assert not support["deep_lift"].supported
    assert "Sin" in (support["deep_lift"].reason or "")
    assert support["guided_backprop"].supported
    assert support["integrated_gradients"].supported
