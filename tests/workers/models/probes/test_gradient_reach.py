"""Methods at a layer are offered, and taken, where a gradient leads to or from the layer as they need it."""

from typing import Any

import pytest
import torch
from captum.attr import NeuronGradient, NeuronGuidedBackprop
from torch import Tensor, nn

from schemas.errors import InvalidRequest, JobFailed
from schemas.methods import METHODS, AnyMethod
from schemas.models import LayerCard
from service.validation.layers import find_layer
from service.validation.model import ReadyModel
from tests.service.cards import tensor_card
from tests.workers.toys import RunningJob, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.inputs.prepared import Prepared
from workers.jobs.result_warnings import guided_warnings
from workers.models.method_support import method_support
from workers.models.probes.gradient_reach import Reach, gradient_reach

X = torch.tensor([[0.5, -0.25, 1.0]], dtype=torch.float64)


class Layers(nn.Module):
    """(rows, 3) -> (rows, 2) in three steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.head = nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)


class CutBefore(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x.detach())))


class CutInside(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x)).detach())


class CutBehind(Layers):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.relu(self.first(x))
        with torch.no_grad():
            return self.head(hidden)


class CutAll(Layers):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x)))


class OneBranch(Layers):
    """Its gradient passes the first layer by."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x))).detach() + x[:, :2]


class Whole(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x)))


EXPECTED = {  # the layers whose output has a gradient from the model's output, and to its input
    CutBefore: ({"first", "relu", "head"}, set()),
    CutInside: ({"head"}, {"first", "relu"}),
    CutBehind: (set(), {"first", "relu"}),
    CutAll: (set(), set()),
    OneBranch: (set(), {"first", "relu", "head"}),
    Whole: ({"first", "relu", "head"}, {"first", "relu", "head"}),
}


def prepared(x: Tensor = X) -> Prepared:
    return Prepared((x,), (), (x,), ())


def reach_of(model: nn.Module) -> Reach:
    return gradient_reach(view_of(model), prepared())


def asked(name: str, layer: str) -> AnyMethod:
    unit = {"neuron_selector": 0} if name.startswith("neuron_") else {}
    return METHODS[name](layer=layer, **unit)


def explained(model: nn.Module, method: AnyMethod) -> Tensor:
    """Raises what Captum raises where no gradient leads."""
    engine = Engine(view_of(model), batch_rows=8, threads=1).start()
    try:
        return RunningJob(engine, method, problem_of([X], [1])).result().attributions[0]
    finally:
        engine.stop()


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_a_gradient_reaches(kind: type[Layers]) -> None:
    reach = reach_of(frozen(kind()))
    for lacking, there in zip((reach.from_output, reach.to_input), EXPECTED[kind], strict=True):
        assert {name for name in ("first", "relu", "head") if "output" not in lacking.get(name, [])} == there


PLAIN = ["layer_gradient_x_activation", "layer_integrated_gradients", "layer_conductance", "internal_influence"]
UNITS = ["neuron_gradient", "neuron_integrated_gradients", "neuron_conductance", "neuron_guided_backprop"]


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("name", [*PLAIN, *UNITS])
def test_methods_work_where_they_are_offered_and_nowhere_else(kind: type[Layers], name: str) -> None:
    model = frozen(kind())
    reach = reach_of(model)
    card = card_of(reach)
    reach = gradient_reach(view_of(model), prepared())
    offers = method_support(view_of(model), prepared(), {}, text=False, embedding=None, reach=reach, rule_reasons={})
    (offer,) = [one for one in offers if one.name == name]
    worked = []
    for layer in ("first", "relu", "head"):
        if is_refused(asked(name, layer), card):
            with pytest.raises(JobFailed, match="RuntimeError"):
                explained(model, asked(name, layer))
        else:
            explained(model, asked(name, layer))
            worked.append(layer)
    assert offer.supported == bool(worked), offer.reason


def is_refused(method: AnyMethod, card: ReadyModel) -> bool:
    try:
        find_layer(method, card)
    except InvalidRequest:
        return True
    return False


def card_of(reach: Reach) -> ReadyModel:
    layers = [
        LayerCard(
            name=name,
            type="Linear",
            output_shape=[4],
            no_gradient=reach.from_output.get(name, []),
            no_gradient_to_input=reach.to_input.get(name, []),
            no_relu_before=reach.relu.get(name, []),
        )
        for name in dict.fromkeys(name for name, _ in reach.sides)
    ]
    return ReadyModel.of(tensor_card("cut", [[3]]).model_copy(update={"layers": layers}))


class ReluLast(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x).tanh()))


class ReluBeside(Layers):
    """Its ReLU runs first, on a way that does not lead to the first layer."""

    def forward(self, x: Tensor) -> Tensor:
        beside = self.relu(x)
        hidden = self.first(x)
        return self.head(hidden) + beside[:, :2]


class ReluFirst(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.first(self.relu(x)))


class InPlace(Layers):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(x)))


@pytest.mark.parametrize(
    ("kind", "warned"),
    [
        (ReluLast, {("first", "output"), ("first", "input"), ("relu", "input")}),
        (
            ReluBeside,
            {("first", "output"), ("first", "input"), ("relu", "input"), ("head", "output"), ("head", "input")},
        ),
        (ReluFirst, {("relu", "input")}),
        (Whole, {("first", "output"), ("first", "input"), ("relu", "input")}),
        (InPlace, {("first", "output"), ("first", "input"), ("relu", "input")}),
    ],
)
@pytest.mark.parametrize("name", ["neuron_guided_backprop", "neuron_deconvolution"])
def test_guided_methods_warn_where_nothing_is_hooked(kind: type[Layers], warned: set[Any], name: str) -> None:
    card = card_of(reach_of(frozen(kind()))).card
    for layer in ("first", "relu", "head"):
        for side in ("output", "input"):
            method = METHODS[name](layer=layer, neuron_selector=0, attribute_to_neuron_input=side == "input")
            said = guided_warnings(card, method)
            assert bool(said) == ((layer, side) in warned), (layer, side)
            assert all("plain gradient" in one and repr(layer) in one for one in said)


@pytest.mark.parametrize("kind", [ReluLast, ReluBeside, Whole])
def test_what_is_warned_of_is_the_plain_gradient(kind: type[Layers]) -> None:
    model = frozen(kind())
    for unit in range(4):
        guided = NeuronGuidedBackprop(model, model.first).attribute(X.clone(), unit)
        assert torch.equal(guided, NeuronGradient(model, model.first).attribute(X.clone(), unit))


def test_models_of_integers_are_not_tested() -> None:
    ids = torch.tensor([[1, 2]])
    model = frozen(nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2)))
    assert gradient_reach(view_of(model), prepared(ids)).sides == ()


class ByName(Layers):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(input=self.first(input=x)))


def test_what_a_layer_takes_by_name_is_not_judged() -> None:
    reach = reach_of(frozen(ByName()))
    assert (reach.from_output, reach.to_input) == ({}, {})
    assert ("first", "input") not in reach.sides
