"""`"n_steps": "auto"` at layers and units: Captum's result for as many steps as the tolerance asks for."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.limits import MAX_AUTO_STEPS
from schemas.methods import AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyConvNet, ToyIds, ToyMlp, ToyTwoInputs, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.attribution_warnings import completeness_warnings
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.outcome import Outcome

SEED = 3


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def outcome_of(model: nn.Module, method: AnyMethod, subject: ExplainInputs) -> Outcome:
    engine = Engine(view_of(model, len(subject.inputs)), batch_rows=16, threads=1).start()
    try:
        return RunningJob(engine, method, subject, SEED).result()
    finally:
        engine.stop()


def methods_at(layer: str, unit: int | list[int], **more: Any) -> list[AnyMethod]:
    at: dict[str, Any] = {"layer": layer, "n_steps": "auto", **more}
    return [
        spec.LayerIntegratedGradients(**at),
        spec.LayerIntegratedGradients(**at, multiply_by_inputs=False, method="riemann_middle"),
        spec.LayerConductance(**at),
        spec.InternalInfluence(**at),
        spec.NeuronIntegratedGradients(**at, neuron_selector=unit),
        spec.NeuronIntegratedGradients(**at, neuron_selector=unit, attribute_to_neuron_input=True),
        spec.NeuronConductance(**at, neuron_selector=unit),
    ]


def subject_of(model: str) -> tuple[nn.Module, ExplainInputs]:
    if model == "mlp":
        return frozen(ToyMlp()), problem_of([draw(3, 6)], [1, 0, 3], [draw(3, 6, seed=1)])
    if model == "conv":
        return frozen(ToyConvNet()), problem_of([draw(2, 3, 12, 12)], [4])
    return frozen(ToyTwoInputs()), problem_of([draw(3, 3), draw(3, 2, seed=1)], [0, 2, 1])


CASES = [
    *(("mlp", method) for method in methods_at("second", 3, tolerance=0.02)),
    *(("conv", method) for method in methods_at("relu1", [2, 1, 3], tolerance=0.1)),
    *(("two", method) for method in methods_at("act", 4, tolerance=0.01)),
]


@pytest.mark.parametrize(("name", "method"), CASES, ids=lambda one: getattr(one, "name", one))
def test_is_captums_result_for_the_steps_that_each_example_took(name: str, method: AnyMethod) -> None:
    model, subject = subject_of(name)
    outcome = outcome_of(model, method, subject)
    convergence = outcome.convergence
    assert convergence is not None
    assert convergence.map_errors is not None
    for example, (count, error) in enumerate(zip(convergence.counts, convergence.errors, strict=True)):
        assert error <= convergence.tolerance or count == MAX_AUTO_STEPS
        assert convergence.map_errors[example] <= 30 * convergence.tolerance or count == MAX_AUTO_STEPS
        numbered = method.model_copy(update={"n_steps": count, "tolerance": None})
        expected = direct(numbered, model, model, subject.only(example), SEED)
        found = tuple(one[example : example + 1] for one in outcome.attributions)
        assert max_relative_difference(found, expected) < 1e-9


@pytest.mark.parametrize("method", methods_at("second", 3, tolerance=0.02), ids=lambda method: method.name)
def test_an_example_stops_as_it_would_alone(method: AnyMethod) -> None:
    model, subject = subject_of("mlp")
    together = outcome_of(model, method, subject)
    for example in range(subject.examples):
        alone = outcome_of(model, method, subject.only(example))
        assert alone.convergence is not None
        assert together.convergence is not None
        assert alone.convergence.counts[0] == together.convergence.counts[example]
        found = tuple(one[example : example + 1] for one in together.attributions)
        assert max_relative_difference(found, alone.attributions) < 1e-9


def test_the_error_of_the_sum_is_that_of_the_result() -> None:
    """Of layers against the model's outputs, of a unit against the unit's own values."""
    model, subject = subject_of("mlp")
    with torch.no_grad():
        ends = [*subject.inputs, *(subject.baselines or ())]
        at_input, at_baseline = (model(end) for end in ends)
        units = [model.second(model.relu(model.first(end)))[:, 3] for end in ends]
    output = (at_input - at_baseline)[torch.arange(3), torch.tensor(subject.targets)]
    for method, difference in (
        (spec.LayerConductance(layer="second", n_steps="auto", tolerance=0.05), output),
        (spec.LayerIntegratedGradients(layer="second", n_steps="auto"), output),
        (spec.NeuronIntegratedGradients(layer="second", neuron_selector=3, n_steps="auto"), units[0] - units[1]),
    ):
        outcome = outcome_of(model, method, subject)
        assert outcome.convergence is not None
        total = sum(one.flatten(1).sum(dim=1) for one in outcome.attributions)
        assert torch.allclose(
            torch.tensor(outcome.convergence.errors, dtype=torch.float64), ((total - difference) / difference).abs()
        )


def test_a_smaller_tolerance_takes_more_steps_and_the_limit_is_told() -> None:
    model, subject = subject_of("mlp")
    counts = []
    for tolerance in (0.5, 0.02, 1e-6):
        method = spec.LayerConductance(layer="second", n_steps="auto", tolerance=tolerance)
        outcome = outcome_of(model, method, subject)
        assert outcome.convergence is not None
        counts.append(max(outcome.convergence.counts))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == MAX_AUTO_STEPS
    (warning,) = completeness_warnings(method, outcome)
    assert warning.startswith("the completeness error is")
    influence = spec.InternalInfluence(layer="second", n_steps="auto", tolerance=1e-6)
    (warning,) = completeness_warnings(influence, outcome_of(model, influence, subject))
    assert warning.startswith("more steps still change the result by")


def test_equal_ends_stop_at_once() -> None:
    model, subject = subject_of("mlp")
    equal = replace(subject, baselines=subject.inputs, layer_baselines=subject.inputs)
    for method in methods_at("second", 3):
        outcome = outcome_of(model, method, equal)
        assert outcome.convergence is not None
        assert outcome.convergence.counts == [16, 16, 16]


def test_texts_of_ids_at_their_embedding() -> None:
    tokens = torch.tensor([[3, 7, 1, 0, 19], [4, 4, 12, 2, 5]])
    subject = problem_of([tokens], [2, 1], [torch.full_like(tokens, 9)])
    model, method = frozen(ToyIds()), spec.LayerIntegratedGradients(layer="words", n_steps="auto")
    outcome = outcome_of(model, method, subject)
    assert outcome.convergence is not None
    assert max(outcome.convergence.errors) <= 0.01
    for example, count in enumerate(outcome.convergence.counts):
        numbered = method.model_copy(update={"n_steps": count})
        expected = direct(numbered, model, model, subject.only(example), SEED)
        assert max_relative_difference((outcome.attributions[0][example : example + 1],), expected) < 1e-9
