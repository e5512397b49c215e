"""Models that change tensors in place, held against twins that do not."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from schemas import methods as spec
from schemas.methods import AnyMethod
from tests.workers.toys import RunningJob, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.inputs.prepared import Prepared
from workers.transform.hookable.hookable_module import make_hookable


class Overwriting(nn.Module):
    """A model that is told whether it works in place."""

    shapes: tuple[tuple[int, ...], ...] = ((6,),)

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place


class OnTheInput(Overwriting):
    def __init__(self, in_place: bool) -> None:
        super().__init__(in_place)
        self.act = nn.ReLU(inplace=in_place)
        self.fc = nn.Linear(6, 5)
        self.second = nn.LeakyReLU(0.2, inplace=in_place)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.fc(self.act(x))))


class Standardising(Overwriting):
    """Subtracts and scales in the caller's tensor, then sets a column."""

    def __init__(self, in_place: bool) -> None:
        super().__init__(in_place)
        self.fc = nn.Linear(6, 5)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.in_place:
            x -= 0.3
            x.mul_(1.7)
            x[:, 2] = 0.25
        else:
            x = (x - 0.3) * 1.7
            x = torch.cat([x[:, :2], torch.full_like(x[:, 2:3], 0.25), x[:, 3:]], 1)
        return self.head(torch.tanh(self.fc(x)))


class TwoInputs(Overwriting):
    shapes = ((4,), (4,))

    def __init__(self, in_place: bool) -> None:
        super().__init__(in_place)
        self.fc = nn.Linear(4, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        if self.in_place:
            a += b * b
            h = self.fc(a)
            h.clamp_(min=-0.5)
        else:
            h = self.fc(a + b * b).clamp(min=-0.5)
        return self.head(h)


class Residual(Overwriting):
    """As a ResNet: norm, activation in place, addition in place."""

    shapes = ((3, 6, 6),)

    def __init__(self, in_place: bool) -> None:
        super().__init__(in_place)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=in_place)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.inner_norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.conv(x)))
        h = self.inner_norm(self.inner(x))
        if self.in_place:
            h += x
        else:
            h = h + x
        return self.head(F.relu(h, inplace=self.in_place).mean((2, 3)))


class Dense(Overwriting):
    """As a DenseNet: maps are concatenated, and the last norm is followed by a function in place."""

    shapes = ((3, 6, 6),)

    def __init__(self, in_place: bool) -> None:
        super().__init__(in_place)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.inner_norm = nn.BatchNorm2d(4)
        self.grow = nn.Conv2d(4, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(7)
        self.head = nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv(x)
        more = self.grow(F.elu(self.inner_norm(first), inplace=self.in_place))
        whole = F.relu(self.norm(torch.cat([first, more], 1)), inplace=self.in_place)
        return self.head(F.adaptive_avg_pool2d(whole, 1).flatten(1))


INPUT_METHODS: list[AnyMethod] = [
    spec.Saliency(),
    spec.InputXGradient(),
    spec.IntegratedGradients(n_steps=7),
    spec.GradientShap(n_samples=4),
    spec.FeatureAblation(),
    spec.ShapleyValueSampling(n_samples=2),
]
LAYERS = [
    (OnTheInput, "act"),
    (OnTheInput, "fc"),
    (OnTheInput, "second"),
    (Standardising, "fc"),
    (TwoInputs, "fc"),
    (Residual, "norm"),
    (Residual, "relu"),
    (Residual, "inner_norm"),
    (Dense, "inner_norm"),
    (Dense, "norm"),
]


def layer_methods(layer: str, unit: list[int]) -> list[AnyMethod]:
    made: list[AnyMethod] = [
        spec.LayerActivation(layer=layer),
        spec.LayerGradCam(layer=layer),
        spec.LayerGradientXActivation(layer=layer),
        spec.LayerIntegratedGradients(layer=layer, n_steps=7),
        spec.LayerIntegratedGradients(layer=layer, n_steps=7, attribute_to_layer_input=True),
        spec.LayerConductance(layer=layer, n_steps=7),
        spec.InternalInfluence(layer=layer, n_steps=7),
        spec.LayerGradientShap(layer=layer, n_samples=3),
        spec.LayerFeatureAblation(layer=layer),
        spec.LayerFeatureAblation(layer=layer, attribute_to_layer_input=True),
        spec.LayerDeepLift(layer=layer),
        spec.NeuronGradient(layer=layer, neuron_selector=unit),
        spec.NeuronIntegratedGradients(layer=layer, neuron_selector=unit, n_steps=7),
        spec.NeuronConductance(layer=layer, neuron_selector=unit, n_steps=7),
        spec.NeuronFeatureAblation(layer=layer, neuron_selector=unit),
    ]
    return made


def explained(model: Overwriting, methods: list[AnyMethod]) -> list[Any]:
    generator = torch.Generator().manual_seed(3)
    inputs = [torch.randn(2, *shape, generator=generator, dtype=torch.float64) for shape in model.shapes]
    kept = [tensor.clone() for tensor in inputs]
    view = view_of(model, len(inputs))
    sample = tuple(tensor[:1] for tensor in inputs)
    hookable = make_hookable(view, Prepared(sample, (), sample, ())).module
    view = view_of(model, len(inputs), hookable)
    engine = Engine(view, batch_rows=8, threads=1).start()
    try:
        outcomes = [RunningJob(engine, method, problem_of(inputs, [1])).result() for method in methods]
    finally:
        engine.stop()
    assert all(torch.equal(tensor, before) for tensor, before in zip(inputs, kept, strict=True))
    return outcomes


def assert_twins(kind: type[Overwriting], methods: list[AnyMethod]) -> None:
    ours, theirs = (explained(frozen(kind(in_place)), methods) for in_place in (True, False))  # type: ignore[arg-type]
    for method, one, other in zip(methods, ours, theirs, strict=True):
        assert torch.allclose(one.outputs, other.outputs, rtol=1e-12, atol=1e-14), method.name
        for a, b in zip(one.attributions, other.attributions, strict=True):
            assert torch.allclose(a, b, rtol=1e-10, atol=1e-12), method.name


@pytest.mark.parametrize("kind", [OnTheInput, Standardising, TwoInputs, Residual, Dense])
def test_a_model_may_overwrite_its_input(kind: type[Overwriting]) -> None:
    assert_twins(kind, INPUT_METHODS)


@pytest.mark.parametrize(("kind", "layer"), LAYERS)
def test_layers_before_operations_in_place(kind: type[Overwriting], layer: str) -> None:
    unit = [1] if len(kind.shapes[0]) == 1 else [1, 2, 2]
    assert_twins(kind, layer_methods(layer, unit))
