"""Perturbation methods equal Captum for masks and models of every kind, whatever the size of the engine's batch."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import (
    RunningJob,
    ToyConvNet,
    ToyIds,
    ToyMlp,
    ToySegmenter,
    ToyTwoInputs,
    frozen,
    problem_of,
    view_of,
)
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs, Tensors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")  # of numbers that no element has
SEED = 11
TOLERANCE = 1e-9
METHODS: list[AnyMethod] = [
    spec.FeatureAblation(),
    spec.ShapleyValueSampling(n_samples=7),
    spec.KernelShap(n_samples=30),
    spec.Lime(n_samples=30),
]
Case = tuple[nn.Module, ExplainInputs]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Shifted(nn.Module):
    """(rows, 6), and (rows, 4) that is no input -> (rows, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = ToyMlp()

    def forward(self, x: Tensor, more: Tensor) -> Tensor:
        return self.inner(x) * more.tanh() + more


def numbers_with_gaps() -> Case:
    mask = torch.tensor([[0, 3, 3, 5, 0, 7]])
    return frozen(ToyMlp()), problem_of([draw(2, 6)], [1, 3], feature_mask=[mask])


def over_two_inputs() -> Case:
    masks = [torch.tensor([[0, 1, 2]]), torch.tensor([[2, 0]])]
    return frozen(ToyTwoInputs()), problem_of(
        [draw(3, 3), draw(3, 2, seed=1)], [0, 2, 1], [draw(3, 3, seed=2), draw(3, 2, seed=3)], feature_mask=masks
    )


def no_mask() -> Case:
    return frozen(ToyTwoInputs()), problem_of([draw(2, 3), draw(2, 2, seed=1)], [1])


def one_target_for_all() -> Case:
    mask = torch.tensor([[0, 0, 1, 1, 2, 3], [3, 2, 1, 0, 0, 0]])
    return frozen(ToyMlp()), problem_of([draw(2, 6)], [2], [draw(2, 6, seed=5)], feature_mask=[mask])


def channels_share() -> Case:
    rows = torch.arange(12).unsqueeze(1) // 6 * 2 + torch.arange(12) // 6
    return frozen(ToyConvNet()), problem_of(
        [draw(2, 3, 12, 12)], [4, 0], [draw(2, 3, 12, 12, seed=1)], feature_mask=[rows.expand(1, 3, 12, 12)]
    )


def channels_differ() -> Case:
    mask = torch.arange(3).reshape(1, 3, 1, 1) * 2 + (torch.arange(12) // 6).reshape(1, 1, 1, 12)
    return frozen(ToyConvNet()), problem_of([draw(1, 3, 12, 12)], [2], feature_mask=[mask])


def scattered_elements() -> Case:
    generator = torch.Generator().manual_seed(3)
    mask = torch.randint(0, 5, (12, 2, 12, 3), generator=generator).permute(1, 3, 0, 2)  # not contiguous
    return frozen(ToyConvNet()), problem_of([draw(2, 3, 12, 12)], [1, 2], feature_mask=[mask])


def one_row_of_a_picture() -> Case:
    mask = (torch.arange(12) // 3).reshape(1, 1, 1, 12)  # broadcasts to the picture
    return frozen(ToyConvNet()), problem_of([draw(2, 3, 12, 12)], [0], feature_mask=[mask])


def places() -> Case:
    mask = (torch.arange(8) // 2).expand(1, 2, 8, 8)
    return frozen(ToySegmenter()), problem_of([draw(2, 2, 8, 8)], [[1, 0, 3], [2, 2, 2]], feature_mask=[mask])


def more_arguments() -> Case:
    subject = problem_of([draw(2, 6)], [1, 0], feature_mask=[torch.tensor([[0, 0, 1, 2, 2, 3]])])
    return frozen(Shifted()), replace(subject, additional_forward_args=(draw(2, 4, seed=8),))


def ids() -> Case:
    tokens = torch.tensor([[3, 7, 1, 0, 19], [4, 4, 12, 2, 5]])
    mask = torch.tensor([[0, 1, 1, 2, 3]])
    return frozen(ToyIds()), problem_of([tokens], [2, 1], [torch.full_like(tokens, 9)], feature_mask=[mask])


CASES = [
    numbers_with_gaps,
    over_two_inputs,
    no_mask,
    one_target_for_all,
    channels_share,
    channels_differ,
    scattered_elements,
    one_row_of_a_picture,
    places,
    more_arguments,
    ids,
]


def captums(method: AnyMethod, model: nn.Module, subject: ExplainInputs) -> Tensors:
    """Captum's own answer. Its Shapley values refuse masks that are not contiguous."""
    mask = subject.feature_mask and tuple(part.contiguous() for part in subject.feature_mask)
    return direct(method, model, model, replace(subject, feature_mask=mask), SEED)


def attributions(case: Case, method: AnyMethod, batch_rows: int, alone: str | None = None) -> Tensors:
    model, subject = case
    view = replace(view_of(model, len(subject.inputs)), alone_reason=alone)
    engine = Engine(view, batch_rows=batch_rows, threads=1).start()
    try:
        return RunningJob(engine, method, subject, SEED).result().attributions
    finally:
        engine.stop()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("make", CASES)
def test_equals_captum(make: Callable[[], Case], method: AnyMethod) -> None:
    model, subject = make()
    expected = captums(method, model, subject)
    for batch_rows in (1, 5, 64):
        found = attributions((model, subject), method, batch_rows)
        assert max_relative_difference(found, expected) < TOLERANCE


@pytest.mark.parametrize("make", [numbers_with_gaps, over_two_inputs, channels_share, places])
def test_every_order_equals_captum(make: Callable[[], Case]) -> None:
    model, subject = make()
    if make is numbers_with_gaps:  # Captum's orders are those of all eight numbers: too many to wait for
        subject = replace(subject, feature_mask=(torch.tensor([[0, 3, 3, 4, 0, 4]]),))
    expected = captums(spec.ShapleyValues(), model, subject)
    assert max_relative_difference(attributions((model, subject), spec.ShapleyValues(), 16), expected) < TOLERANCE


@pytest.mark.parametrize("method", [*METHODS[:2], spec.ShapleyValues()], ids=lambda method: method.name)
def test_one_feature_has_the_whole_difference(method: AnyMethod) -> None:
    model, subject = frozen(ToyMlp()), problem_of([draw(2, 6)], [1, 3], feature_mask=[torch.zeros(1, 6).long()])
    expected = captums(method, model, subject)
    found = attributions((model, subject), method, 4)
    assert max_relative_difference(found, expected) < TOLERANCE
    with torch.no_grad():
        outputs = model(*subject.inputs) - model(torch.zeros(2, 6, dtype=torch.float64))
    assert torch.allclose(found[0].double(), outputs[[0, 1], [1, 3]].unsqueeze(1).expand(2, 6), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_models_whose_rows_run_alone(method: AnyMethod) -> None:
    model, subject = over_two_inputs()
    expected = captums(method, model, subject)
    assert max_relative_difference(attributions((model, subject), method, 8, alone="a test"), expected) < TOLERANCE


@pytest.mark.parametrize("batch_rows", [1, 64])
@pytest.mark.parametrize(
    ("window", "strides"),
    [([3, 4, 4], [3, 3, 3]), ([2, 12, 5], [1, 12, 4]), ([3, 12, 12], None), ([1, 1, 12], [1, 1, 1]), ([2, 3], [1, 2])],
)
def test_windows_equal_captum(window: list[int], strides: list[int] | None, batch_rows: int) -> None:
    """Windows that overlap, that are cut off at the end, over several channels, and that cover everything."""
    subject = problem_of([draw(2, 3, 12, 12)], [4, 0], [draw(2, 3, 12, 12, seed=1)])
    method, model = spec.Occlusion(sliding_window_shapes=window, strides=strides), frozen(ToyConvNet())
    expected = captums(method, model, subject)
    assert max_relative_difference(attributions((model, subject), method, batch_rows), expected) < TOLERANCE
