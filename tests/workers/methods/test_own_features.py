"""KernelSHAP and LIME: an example has the answer that it has alone, however many features its neighbours have."""

from typing import Any

import captum.attr as captum
import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyTwoInputs, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs, Tensors

METHODS: list[AnyMethod] = [spec.KernelShap(n_samples=60), spec.Lime(n_samples=60)]
SEED = 5


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of_elements() -> tuple[nn.Module, ExplainInputs]:
    mask = torch.tensor([[0, 0, 1, 1, 1, 0], [0, 1, 2, 3, 4, 5], [2, 1, 0, 0, 0, 2]])
    return frozen(ToyMlp()), problem_of([draw(3, 6)], [1, 0, 3], feature_mask=[mask])


def of_pictures() -> tuple[nn.Module, ExplainInputs]:
    columns = torch.arange(12).expand(1, 1, 12, 12)
    mask = torch.cat([columns // 6, columns // 2])
    return frozen(ToyConvNet()), problem_of(
        [draw(2, 3, 12, 12)], [2], [draw(2, 3, 12, 12, seed=1)], feature_mask=[mask]
    )


def of_two_inputs() -> tuple[nn.Module, ExplainInputs]:
    masks = [torch.tensor([[0, 1, 1]]), torch.tensor([[1, 0], [2, 3], [2, 0]])]
    return frozen(ToyTwoInputs()), problem_of([draw(3, 3), draw(3, 2, seed=1)], [0, 2, 1], feature_mask=masks)


def answer(model: nn.Module, method: AnyMethod, subject: ExplainInputs) -> Any:
    engine = Engine(view_of(model, len(subject.inputs)), batch_rows=7, threads=1).start()
    try:
        return RunningJob(engine, method, subject, SEED).result()
    finally:
        engine.stop()


def rows(tensors: Tensors, example: int) -> Tensors:
    return tuple(tensor[example : example + 1] for tensor in tensors)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("make", [of_elements, of_pictures, of_two_inputs])
def test_each_example_has_captums_answer_for_it_alone(make: Any, method: AnyMethod) -> None:
    model, subject = make()
    found = answer(model, method, subject).attributions
    for example in range(subject.examples):
        alone = direct(method, model, model, subject.only(example), SEED)
        assert max_relative_difference(rows(found, example), alone) < 1e-9
        assert max_relative_difference(answer(model, method, subject.only(example)).attributions, alone) < 1e-9


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_equal_numbers_of_features_are_captums_batch(method: AnyMethod) -> None:
    for mask in ([[0, 0, 1, 1, 2, 2], [2, 1, 0, 0, 1, 2]], [[0, 1, 0, 1, 0, 1]]):
        subject = problem_of([draw(2, 6)], [1, 2], feature_mask=[torch.tensor(mask)])
        model = frozen(ToyMlp())
        captums = direct(method, model, model, subject, SEED)
        assert max_relative_difference(answer(model, method, subject).attributions, captums) < 1e-9


def test_few_features_beside_many_are_the_shapley_values() -> None:
    """With two features every coalition is drawn, so the answer is that of the exact values, up to float32."""
    mask = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 5]])
    model, subject = frozen(ToyMlp()), problem_of([draw(2, 6)], [1], feature_mask=[mask])
    (exact,) = answer(model, spec.ShapleyValues(), subject.only(0)).attributions
    exact = exact.float()
    found = answer(model, spec.KernelShap(n_samples=200), subject).attributions
    torch.manual_seed(SEED)
    batch = captum.KernelShap(model).attribute(*subject.inputs, target=1, feature_mask=mask, n_samples=200)
    assert max_relative_difference(rows(found, 0), (exact,)) < 2e-3  # Captum fits in float32, with weights of 1e6
    assert max_relative_difference((batch[:1],), (exact,)) > 8e-3


@pytest.mark.parametrize("make", [of_elements, of_pictures, of_two_inputs])
def test_with_a_tolerance_each_example_stops_as_alone(make: Any) -> None:
    method = spec.KernelShap(n_samples=400, tolerance=0.05)
    model, subject = make()
    whole = answer(model, method, subject)
    for example in range(subject.examples):
        alone = answer(model, method, subject.only(example))
        assert whole.convergence.counts[example] == alone.convergence.counts[0]
        assert max_relative_difference(rows(whole.attributions, example), alone.attributions) < 1e-9
