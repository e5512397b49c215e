"""DeepLIFT and the guided methods in passes of many jobs: each job's answer is Captum's to it alone."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import NonFinite
from schemas.methods import AnyMethod, Deconvolution, DeepLift, DeepLiftShap, GuidedBackprop, GuidedGradCam
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyTwoInputs, frozen, lean_view_of, problem_of
from tests.workers.transform.hookable.toys import toy
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs

MODELS = {"mlp": (ToyMlp, [[6]], 4), "conv": (ToyConvNet, [[3, 12, 12]], 5), "two": (ToyTwoInputs, [[3], [2]], 3)}
BATCH_ROWS = 6  # three pairs: jobs are cut and mixed
METHODS: list[AnyMethod] = [
    DeepLift(),
    DeepLift(multiply_by_inputs=False),
    DeepLiftShap(),
    DeepLift(eps=0.5),
    DeepLiftShap(multiply_by_inputs=False),
    GuidedBackprop(),
    Deconvolution(),
]


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def subject_of(name: str, examples: int, seed: int) -> ExplainInputs:
    """Inputs, baselines equal to them in a part, five baselines of a distribution, and targets of its own."""
    _, shapes, classes = MODELS[name]
    inputs = [draw(seed + k, examples, *shape) for k, shape in enumerate(shapes)]
    drawn = [draw(100 + seed + k, examples, *shape) for k, shape in enumerate(shapes)]
    baselines = [torch.where(torch.arange(x.shape[-1]) < 1, x, b) for x, b in zip(inputs, drawn, strict=True)]
    distribution = [draw(200 + seed + k, 5, *shape) for k, shape in enumerate(shapes)]
    targets = [(seed + k) % classes for k in range(examples)]
    return problem_of(inputs, targets, baselines, distribution)


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(name: str) -> Iterator[Engine]:
    factory, shapes, _ = MODELS[name]
    view = lean_view_of(frozen(factory()), shapes, hookable=True)
    assert set(view.rule_modules) == {"rescale", "guided", "deconvolution"}
    running = Engine(view, batch_rows=BATCH_ROWS, threads=1).start()
    yield running
    running.stop()


def run(engine: Engine, jobs: list[tuple[AnyMethod, ExplainInputs]]) -> list[tuple[Tensor, ...]]:
    engine.hold()
    running = [RunningJob(engine, method, subject) for method, subject in jobs]
    engine.release()
    return [job.result().attributions for job in running]


def test_jobs_of_all_rules_with_targets_and_baselines_of_their_own(engine: Engine, name: str) -> None:
    jobs = [(method, subject_of(name, 1 + k % 3, 10 * k)) for k, method in enumerate(METHODS * 2)]
    given = run(engine, jobs)
    model = engine.view.hook_module  # on `conv` itself Captum is wrong: a pool directly follows a ReLU
    for (method, subject), attributions in zip(jobs, given, strict=True):
        assert max_relative_difference(attributions, direct(method, model, model, subject)) <= 1e-9
    assert engine.stats.solo_passes == 0


def test_alone_mixed_shuffled_and_split(engine: Engine, name: str) -> None:
    jobs = [(method, subject_of(name, 4, 10 * k)) for k, method in enumerate(METHODS)]
    alone = [run(engine, [job])[0] for job in jobs]
    shuffled = list(range(len(jobs)))
    random.Random(1).shuffle(shuffled)
    mixed = dict(zip(shuffled, run(engine, [jobs[k] for k in shuffled]), strict=True))
    for k, (method, subject) in enumerate(jobs):
        split = run(engine, [(method, subject.only(example)) for example in range(4)])
        parts = tuple(torch.cat(column) for column in zip(*split, strict=True))
        assert max_relative_difference(mixed[k], alone[k]) <= 1e-12
        assert max_relative_difference(parts, alone[k]) <= 1e-12


def test_completeness(engine: Engine, name: str) -> None:
    for method in (DeepLift(), DeepLiftShap()):
        outcome = RunningJob(engine, method, subject_of(name, 3, 5)).result()
        assert outcome.delta is not None
        assert outcome.difference is not None
        assert float(outcome.delta.abs().max()) <= 1e-9 * float(outcome.difference.abs().max())


def test_pairs_share_passes_and_stay_together() -> None:
    view = lean_view_of(frozen(ToyMlp()), [[6]])
    sizes: list[tuple[int, int]] = []

    class Noting(nn.Module):
        def forward(self, rows: tuple[Tensor, ...], baselines: tuple[Tensor, ...], eps: float) -> Tensor:
            sizes.append((len(rows[0]), len(baselines[0])))
            out: Tensor = view.rule_modules["rescale"](rows, baselines, eps)
            return out

    noting = replace(view, rule_modules={"rescale": Noting()})
    engine = Engine(noting, batch_rows=BATCH_ROWS + 1, threads=1).start()  # three pairs, and no half of a pair
    jobs = [(DeepLift(), subject_of("mlp", examples, 10 * examples)) for examples in (1, 2, 4, 2)]
    run(engine, jobs)
    engine.stop()
    assert sizes == [(3, 3)] * 3
    assert engine.stats.solo_passes == 0


def test_rows_are_those_of_the_model() -> None:
    engine = Engine(lean_view_of(frozen(ToyMlp()), [[6]]), batch_rows=64, threads=1).start()
    job = RunningJob(engine, DeepLift(), subject_of("mlp", 3, 1))
    job.result()
    engine.stop()
    assert job.task.rows == 3 * 2 + 3 * 2  # outputs of inputs and baselines, and the pairs
    assert engine.stats.rows == job.task.rows


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_guided_grad_cam_is_guided_rows_and_one_map(mode: Any) -> None:
    """Jobs of different targets: their guided rows share one pass, and their maps one call of Grad-CAM."""
    view = lean_view_of(frozen(ToyConvNet()), [[3, 12, 12]])
    engine = Engine(view, batch_rows=64, threads=1).start()
    method = GuidedGradCam(layer="conv2", interpolate_mode=mode)
    subjects = [subject_of("conv", 1 + k, 10 * k) for k in range(3)]
    given = run(engine, [(method, subject) for subject in subjects])
    engine.stop()
    for subject, attributions in zip(subjects, given, strict=True):
        expected = direct(method, view.module, view.module, subject)
        assert max_relative_difference(attributions, expected) <= 1e-9
    assert (engine.stats.passes, engine.stats.solo_passes) == (3, 1)  # with the outputs for the inputs


def test_without_a_rule_module_the_solo_lane_answers() -> None:
    model, subject = frozen(ToyMlp()), subject_of("mlp", 2, 1)
    engine = Engine(replace(lean_view_of(model, [[6]]), rule_modules={}), batch_rows=64, threads=1).start()
    given = [RunningJob(engine, method, subject).result().attributions for method in METHODS]
    engine.stop()
    assert engine.stats.solo_passes > 0
    for method, attributions in zip(METHODS, given, strict=True):
        assert max_relative_difference(attributions, direct(method, model, model, subject)) <= 1e-9


@pytest.mark.parametrize("name", ["reused", "in place", "functional", "pre-activation", "clipped", "resnet"])
def test_models_on_which_captum_needs_a_hookable_module(name: str) -> None:
    """Where Captum raises or is silently wrong on the model itself."""
    model, x = toy(name)
    view = lean_view_of(model, [list(x.shape[1:])], hookable=True)
    assert set(view.rule_modules) == {"rescale", "guided", "deconvolution"}
    engine = Engine(view, batch_rows=BATCH_ROWS, threads=1).start()
    subjects = [problem_of([draw(k, 2, *x.shape[1:])], [k, k + 1], [draw(9 + k, 2, *x.shape[1:])]) for k in range(3)]
    methods: list[AnyMethod] = [DeepLift(), GuidedBackprop(), Deconvolution()]
    jobs = [(method, subject) for method in methods for subject in subjects]
    given = run(engine, jobs)
    engine.stop()
    for (method, subject), attributions in zip(jobs, given, strict=True):
        expected = direct(method, view.hook_module, view.hook_module, subject)
        assert max_relative_difference(attributions, expected) <= 1e-9
    assert engine.stats.solo_passes == 0


def test_multipliers_that_are_not_finite_have_a_reason() -> None:
    """The difference of the inputs of an activation overflows: infinity over infinity."""

    class Steep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.head = nn.ReLU(), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.act(x * 1e200).clamp(max=1.0))

    view = lean_view_of(frozen(Steep()), [[2]])
    engine = Engine(view, batch_rows=4, threads=1).start()
    subject = problem_of([torch.full((1, 2), 1e200, dtype=torch.float64)], [0])
    with pytest.raises(NonFinite):
        RunningJob(engine, DeepLift(), subject).result()
    engine.stop()
