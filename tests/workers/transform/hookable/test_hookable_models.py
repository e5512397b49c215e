"""Models as they are written: hook methods are right on them, or refused with the module and the reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from captum.attr import InputXGradient
from torch import Tensor, nn

from schemas.methods import AnyMethod, Deconvolution, DeepLift, DeepLiftShap, GuidedBackprop, Lrp, NeuronDeepLift
from tests.workers.toys import CPU, RunningJob, problem_of
from tests.workers.transform.hookable.definitions import baseline_of, reference, several
from tests.workers.transform.hookable.toys import MODELS, toy
from workers.engine.device.gate import DeviceGate
from workers.models.load import Device, ResidentModel, load_model

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


TOY_TOML = """
name = "toy"
factory = "model.py:build"
[input]
kind = "tensor"
dtype = "float64"
shapes = [{shape}]
"""
LRP_REFUSED = {  # which module, and why
    "clipped": "the model (Clipped) computes Mul outside of any layer with a rule",
    "branch on values": "the model (DecidesByValue) computes Sub outside of any layer with a rule",
}
DEEP_LIFT_REFUSED = {
    "branch on values": "the model (DecidesByValue) takes a decision that depends on the input (__float__)"
}


@pytest.fixture(params=MODELS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, nn.Module, Tensor, ResidentModel]]:
    """A toy as people write models, loaded from a folder as any other, its engine running."""
    original, x = toy(request.param)
    (tmp_path / "model.toml").write_text(TOY_TOML.format(shape=list(x.shape[1:])))
    imported = "from tests.workers.transform.hookable.toys import toy"
    source = f"{imported}\n\n\ndef build():\n    return toy({request.param!r})[0]\n"
    (tmp_path / "model.py").write_text(source)
    model = load_model(tmp_path, Device(CPU, 1, 8, DeviceGate()))
    model.engine.start()
    yield request.param, original, x, model
    model.engine.stop()


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True to a scalar")  # the model's own doing
def test_methods_on_models_as_they_are_written(written: tuple[str, nn.Module, Tensor, ResidentModel]) -> None:
    """Each is right, or refused with the module and the reason; three examples with targets of their own."""
    name, original, x, model = written
    reasons = {one.name: one.reason for one in model.card.methods}
    x, targets = several(x), [0, 1, 2]
    baseline = baseline_of(x)
    with torch.no_grad():
        difference = (original(x) - original(baseline)).diagonal()
    asked: list[AnyMethod] = [DeepLift(), GuidedBackprop(), Deconvolution(), Lrp()]
    jobs = {
        method.name: RunningJob(model.engine, method, problem_of([x], targets, [baseline]))
        for method in asked
        if reasons[method.name] is None
    }
    given = {method: job.result().attributions[0] for method, job in jobs.items()}

    assert reasons["deep_lift"] == DEEP_LIFT_REFUSED.get(name)
    if reasons["deep_lift"] is None:
        torch.testing.assert_close(given["deep_lift"].flatten(1).sum(1), difference, rtol=1e-3, atol=1e-9)
    if "guided_backprop" not in given:  # a model without a ReLU, whose plain gradient it would be
        assert name == "smooth"
        assert "no nn.ReLU" in (reasons["guided_backprop"] or "")
        assert "no nn.ReLU" in (reasons["deconvolution"] or "")
    else:
        torch.testing.assert_close(given["guided_backprop"], reference(original, x, targets), rtol=1e-9, atol=1e-12)
    if (
        "deconvolution" in given and name != "clipped"
    ):  # ReLU6 in one step has no gradient between its two bends to replace
        expected = reference(original, x, targets, deconvolution=True)
        torch.testing.assert_close(given["deconvolution"], expected, rtol=1e-9, atol=1e-12)
    refused = LRP_REFUSED.get(name)
    assert reasons["lrp"] is None if refused is None else (reasons["lrp"] or "").startswith(refused)
    if (
        refused is None and name != "smooth"
    ):  # in networks of ReLUs and max pools the epsilon rule is input times gradient
        expected = InputXGradient(original).attribute(x, target=torch.tensor(targets)).detach()
        torch.testing.assert_close(given["lrp"], expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


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
