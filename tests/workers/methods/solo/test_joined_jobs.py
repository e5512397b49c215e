"""Jobs of one method at one layer run as one Captum call, whatever their targets, baselines and distributions."""

from typing import Any

import pytest
import torch
from torch import Tensor

from schemas import methods as spec
from schemas.methods import METHODS, AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs

AT: dict[str, Any] = {"layer": "second"}
UNIT: dict[str, Any] = {**AT, "neuron_selector": 3}
JOINED: list[AnyMethod] = [
    spec.LayerGradCam(**AT),
    spec.LayerIntegratedGradients(**AT),
    spec.LayerIntegratedGradients(**AT, n_steps=9, attribute_to_layer_input=True, method="riemann_left"),
    spec.LayerGradientXActivation(**AT),
    spec.LayerActivation(**AT),
    spec.LayerConductance(**AT, n_steps=20),
    spec.InternalInfluence(**AT, n_steps=20),
    spec.LayerDeepLift(**AT),
    spec.LayerDeepLiftShap(**AT),
    spec.LayerDeepLiftShap(**AT, attribute_to_layer_input=True, multiply_by_inputs=False),
    spec.LayerLrp(**AT),
    spec.LayerFeatureAblation(**AT, layer_baselines=0.25),
    spec.NeuronGradient(**UNIT),
    spec.NeuronIntegratedGradients(**UNIT, n_steps=20),
    spec.NeuronConductance(**UNIT, n_steps=20),
    spec.NeuronDeepLift(**UNIT),
    spec.NeuronDeepLiftShap(**UNIT),
    spec.NeuronGuidedBackprop(**UNIT),
    spec.NeuronDeconvolution(**UNIT),
    spec.NeuronFeatureAblation(**UNIT),
]


def draw(seed: int, rows: int) -> Tensor:
    return torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def subject_of(job: int) -> ExplainInputs:
    """One to three examples with targets and baselines of their own, and a distribution of its own size."""
    examples = 1 + job % 3
    targets = [(job + k) % 4 for k in range(examples)]
    return problem_of([draw(job, examples)], targets, [draw(10 + job, examples)], [draw(20 + job, 3 + job)])


def run(method: AnyMethod, jobs: list[int]) -> tuple[list[tuple[Tensor, ...]], int]:
    """The attributions of the jobs, and the passes of the solo lane that they took together."""
    engine = Engine(view_of(frozen(ToyMlp())), batch_rows=4_096, threads=1).start()
    engine.hold()
    running = [RunningJob(engine, method, subject_of(job)) for job in jobs]
    engine.release()
    found = [job.result().attributions for job in running]
    engine.stop()
    return found, engine.stats.solo_passes


def test_every_method_at_a_layer_that_draws_nothing_is_here() -> None:
    at_layers = {name for name, cls in METHODS.items() if cls.kind in ("layer", "neuron") and not cls.draws}
    assert {method.name for method in JOINED} == at_layers


@pytest.mark.parametrize("method", JOINED, ids=lambda method: method.name)
def test_three_jobs_take_the_passes_of_one(method: AnyMethod) -> None:
    model = frozen(ToyMlp())
    given, passes = run(method, [0, 1, 2])
    for job, attributions in enumerate(given):
        expected = direct(method, model, model, subject_of(job))
        assert max_relative_difference(attributions, expected) <= 1e-9
    assert passes == run(method, [2])[1]
