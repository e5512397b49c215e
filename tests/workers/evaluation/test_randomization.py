"""Randomised models: what survives and what does not, and that the model itself never notices."""

import copy
import threading
from dataclasses import replace

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from schemas import methods as spec
from schemas.errors import JobCancelled, JobFailed
from schemas.metric_requests import Randomization
from schemas.metrics import RandomizationMetric
from tests.workers.evaluation.evaluated import MODELS, EvaluatedJob, draw, evaluated, toy_problem
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.randomization import ONE_COPY, SEED_MASK
from workers.evaluation.randomized_copy import randomize


def randomization_of(job: EvaluatedJob) -> RandomizationMetric:
    metric = job.metrics().randomization
    assert metric is not None
    return metric


class Chain(nn.Module):
    """(rows, 8) -> (rows, 3), by three layers with parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 3)  # registered first, run last
        self.bottom = nn.Linear(8, 8)
        self.middle = nn.Linear(8, 8)
        self.before = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.before(torch.tanh(self.middle(torch.tanh(self.bottom(x))))))


@pytest.mark.parametrize(
    ("order", "of_head"), [("cascading", [True, True, True]), ("independent", [True, False, False])]
)
def test_layers_are_randomised_from_the_top(order: str, of_head: list[bool]) -> None:
    """The gradient before the head is the head's weights, the activation of the bottom is the bottom's alone."""
    engine = Engine(view_of(frozen(Chain())), batch_rows=4, threads=1).start()
    subject = problem_of(draw([[8]], 2, seed=1), [0, 1])
    request = Randomization(order=order, stages=3)  # type: ignore[arg-type]
    at_head = spec.LayerGradientXActivation(layer="before", multiply_by_inputs=False)
    head, bottom = (
        randomization_of(evaluated(engine, method, subject, request)).stages
        for method in (at_head, spec.LayerActivation(layer="bottom"))
    )
    engine.stop()
    assert [(stage.first, stage.layers) for stage in head] == [("head", 1), ("middle", 1), ("bottom", 1)]
    for stages, changed in ((head, of_head), (bottom, [False, False, True])):
        same = [[one.spearman == pytest.approx(1.0) for one in stage.examples] for stage in stages]
        assert same == [[not change] * 2 for change in changed]


class Spots(nn.Module):
    """(rows, 1, 12, 12) -> (rows, 2), trained by hand: the first output is bright where the left half is, the second
    where the right half is; what it learned lies in the head alone."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(144, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.features(x)).flatten(1))


def spots() -> nn.Module:
    model = frozen(Spots())
    left = (torch.arange(12) < 6).double().expand(12, 12).flatten()
    with torch.no_grad():
        model.features.weight.fill_(1.0)
        model.features.bias.fill_(0.0)
        model.head.weight.copy_(torch.stack([left, 1 - left]))
    return model


def test_what_depends_on_the_model_falls_and_what_does_not_stays() -> None:
    """Input x gradient tells the halves apart only while the head does; an edge-like map of the input tells nothing."""
    engine = Engine(view_of(spots()), batch_rows=8, threads=1).start()
    pictures = [t.abs() for t in draw([[1, 12, 12]], 2, seed=3)]
    subject = problem_of(pictures, [0, 1])
    request = Randomization(stages=1)
    of_model = randomization_of(evaluated(engine, spec.InputXGradient(), subject, request)).stages[0].examples
    of_input = randomization_of(evaluated(engine, spec.LayerActivation(layer="relu"), subject, Randomization(stages=2)))
    engine.stop()
    assert all(one.spearman is not None and abs(one.spearman) < 0.4 for one in of_model)
    assert all(one.ssim is not None and one.ssim < 0.6 for one in of_model)
    for one in of_input.stages[0].examples:
        assert (one.spearman, one.ssim) == (pytest.approx(1.0), pytest.approx(1.0))


def test_the_model_and_its_neighbours_notice_nothing(engines: dict[str, Engine]) -> None:
    module = MODELS["conv"][0]
    before = {name: value.clone() for name, value in module.state_dict().items()}
    methods = (spec.IntegratedGradients(n_steps=9), spec.GuidedBackprop(), spec.LayerGradCam(layer="conv2"), spec.Lrp())
    subjects = [toy_problem("conv", 2, seed) for seed in range(8)]
    random = [
        evaluated(engines["conv"], method, subject, Randomization(stages=2), seed=1)
        for method, subject in zip(methods, subjects, strict=False)
    ]
    beside = [RunningJob(engines["conv"], m, subject) for m, subject in zip(methods * 2, subjects, strict=True)]
    assert [len(randomization_of(job).stages) for job in random] == [2] * 4
    outcomes = [job.result() for job in beside]
    for outcome, method, subject in zip(outcomes, methods * 2, subjects, strict=True):
        assert max_relative_difference(outcome.attributions, direct(method, module, module, subject)) <= 1e-9
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks or part._backward_hooks for part in module.modules())


@pytest.mark.parametrize(
    "method", [spec.GradientShap(n_samples=4, stdevs=0.2), spec.DeepLift(), spec.ShapleyValueSampling(n_samples=2)]
)
def test_a_seed_repeats_the_figure(engines: dict[str, Engine], method: spec.AnyMethod) -> None:
    """Alone and beside others; another seed draws other weights."""
    subject = toy_problem("conv", 1, seed=5, masked=method.name == "shapley_value_sampling")
    request = Randomization(stages=2)
    first = randomization_of(evaluated(engines["conv"], method, subject, request, seed=4))
    others = [RunningJob(engines["conv"], spec.GradientShap(), toy_problem("conv", 2, seed=k)) for k in range(3)]
    again = randomization_of(evaluated(engines["conv"], method, subject, request, seed=4))
    for other in others:
        other.result()
    assert first == again
    assert first != randomization_of(evaluated(engines["conv"], method, subject, request, seed=5))


def test_the_figure_by_hand(engines: dict[str, Engine]) -> None:
    """A copy randomised here and explained by Captum directly gives the same similarity."""
    subject = toy_problem("conv", 2, seed=8)
    method = spec.InputXGradient()
    metric = randomization_of(evaluated(engines["conv"], method, subject, Randomization(stages=1), seed=11))
    module = MODELS["conv"][0]
    other = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(11 ^ SEED_MASK)
    for name in ("head", "conv2", "norm", "conv1"):
        randomize(other.get_submodule(name), module.get_submodule(name), generator)
    ours, theirs = (direct(method, m, m, subject)[0].sum(dim=1) for m in (module, other))
    assert metric.stages[0].layers == 4
    for index, one in enumerate(metric.stages[0].examples):
        a, b = ours[index].flatten(), theirs[index].flatten()
        assert one.spearman == pytest.approx(float(torch.corrcoef(torch.stack([ranks(a), ranks(b)]))[0, 1]))
        sizes = [torch.corrcoef(torch.stack([ranks(a.abs()), ranks(b.abs())]))[0, 1]]
        assert one.spearman_abs == pytest.approx(float(sizes[0]))
        maps = [(m[index].abs() / m[index].abs().max()).numpy() for m in (ours, theirs)]
        assert one.ssim == pytest.approx(structural_similarity(*maps, win_size=7, data_range=1.0))


def ranks(values: Tensor) -> Tensor:
    """Without ties."""
    return values.argsort().argsort().double()


def test_who_waits_for_a_copy_keeps_nobody_waiting(engines: dict[str, Engine]) -> None:
    """One copy at a time; other jobs of the model run meanwhile."""
    with ONE_COPY:
        waiting = [
            evaluated(engines["mlp"], spec.Saliency(), toy_problem("mlp", 1, seed), Randomization(stages=1))
            for seed in (1, 2)
        ]
        for seed in (3, 4):  # part-filled passes, which the engine runs only when every live job is parked
            RunningJob(engines["mlp"], spec.IntegratedGradients(n_steps=7), toy_problem("mlp", 1, seed)).result()
        assert all(job.is_alive() for job in waiting)
    assert all(randomization_of(job) for job in waiting)


def test_a_cancelled_job_gives_its_copy_up(engines: dict[str, Engine]) -> None:
    threads = threading.active_count()
    with ONE_COPY:
        job = evaluated(engines["mlp"], spec.Saliency(), toy_problem("mlp", 1, 1), Randomization(stages=3))
        engines["mlp"].cancel(job.task)
    with pytest.raises(JobCancelled):
        job.result()
    assert threading.active_count() <= threads
    assert not ONE_COPY.locked()


class Uncopied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Linear(2, 2)
        self.guard = threading.Lock()  # cannot be copied

    def forward(self, x: Tensor) -> Tensor:
        return self.same(x)


def test_a_model_that_cannot_be_copied_fails_the_job_alone() -> None:
    engine = Engine(view_of(frozen(Uncopied())), batch_rows=4, threads=1).start()
    subject = problem_of(draw([[2]], 1, seed=1), [0])
    job = evaluated(engine, spec.Saliency(), subject, Randomization())
    with pytest.raises(JobFailed, match="cannot be copied"):
        job.result()
    assert RunningJob(engine, spec.Saliency(), subject).result().attributions
    engine.stop()


@pytest.mark.parametrize("method", [spec.FeatureAblation(), spec.IntegratedGradients(n_steps=5)], ids=lambda m: m.name)
def test_no_stage_answers_from_what_another_has_computed(method: spec.AnyMethod) -> None:
    """Engines remember outputs by the digest of an input; each stage is another model."""
    engine = Engine(view_of(MODELS["mlp"][0]), batch_rows=16, threads=1).start()
    subject = toy_problem("mlp", 2, seed=4)
    named = replace(subject, digest=b"input", baseline_digest=b"baseline")
    plain, remembered = (
        randomization_of(evaluated(engine, method, p, Randomization(stages=3))) for p in (subject, named)
    )
    engine.stop()
    assert remembered == plain
