"""The engine shares passes, recovers from what goes wrong, and leaves the model as it was."""

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import JobCancelled, JobFailed, OutOfMemory
from schemas.methods import (
    AnyMethod,
    DeepLift,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    LayerIntegratedGradients,
    Occlusion,
    Saliency,
)
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine

CONV = [1, 3, 12, 12]
MLP = [1, 6]


def draw(shape: list[int], seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Recording(nn.Module):
    """Writes down the rows of every pass; raises, or runs out of memory, when told to."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.passes: list[int] = []
        self.memory_rows: int | None = None
        self.poison: float | None = None
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def forward(self, x: Tensor) -> Tensor:
        self.reached.set()
        assert self.go_on.wait(30)
        if self.memory_rows is not None and x.shape[0] > self.memory_rows:
            raise torch.OutOfMemoryError("out of memory")
        if self.poison is not None and bool((x == self.poison).any()):
            raise ValueError("a value of the input: " + str(self.poison))
        self.passes.append(x.shape[0])
        return self.model(x)


@pytest.fixture
def conv() -> Recording:
    return Recording(frozen(ToyConvNet()))


@pytest.fixture
def mlp() -> Recording:
    return Recording(frozen(ToyMlp()))


@pytest.fixture
def start() -> Iterator[object]:
    engines: list[Engine] = []

    def starter(model: nn.Module, batch_rows: int = 16, forward_rows: int = 1) -> Engine:
        engine = Engine(view_of(model), batch_rows=batch_rows, forward_rows=forward_rows, threads=1)
        engines.append(engine.start())
        return engines[-1]

    yield starter
    for engine in engines:
        engine.stop()


def together(engine: Engine, methods: list[AnyMethod], shape: list[int]) -> list[RunningJob]:
    """Jobs that are all live before the first pass is run, as they are when they wait in a queue."""
    engine.hold()
    jobs = [RunningJob(engine, m, problem_of([draw(shape, k)], [k % 4])) for k, m in enumerate(methods)]
    engine.release()
    return jobs


def check(jobs: list[RunningJob], model: nn.Module) -> None:
    """Every job, once all have ended and the model is ours, equals Captum."""
    outcomes = [job.result() for job in jobs]
    for job, outcome in zip(jobs, outcomes, strict=True):
        expected = direct(job.method, model, model, job.subject)
        assert max_relative_difference(outcome.attributions, expected) <= 1e-9


@pytest.mark.parametrize(
    ("methods", "most"),
    [([IntegratedGradients()] * 8, 27), ([Saliency()] * 16, 1), ([Saliency(), IntegratedGradients(n_steps=15)] * 4, 7)],
    ids=["8 x IG-50", "16 x saliency", "mixed"],
)
def test_passes_are_shared(conv: Recording, start: object, methods: list[AnyMethod], most: int) -> None:
    engine = start(conv)
    jobs = together(engine, methods, CONV)
    for job in jobs:
        job.result()
    assert len(conv.passes) <= most
    assert max(conv.passes) == 16
    rows = sum(getattr(m, "n_steps", 1) + (2 if m.name == "integrated_gradients" else 0) for m in methods)
    assert sum(conv.passes) == rows == engine.stats.rows == sum(job.task.rows for job in jobs)
    assert engine.stats.passes == len(conv.passes)
    check(jobs, conv.model)


def test_passes_without_gradients_hold_twice_the_rows(conv: Recording, start: object) -> None:
    engine = start(conv, forward_rows=2)
    with_gradients: list[int] = []

    def note(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled():
            with_gradients.append(len(args[0]))

    conv.model.register_forward_pre_hook(note)
    methods: list[AnyMethod] = [Occlusion(sliding_window_shapes=[3, 4, 4]), IntegratedGradients(n_steps=24)]
    jobs = together(engine, methods * 4, CONV)
    for job in jobs:
        job.result()
    assert max(conv.passes) == 32
    assert max(with_gradients) == 16
    rows, capacity = engine.stats.rows, engine.stats.shared_capacity_rows
    assert rows == sum(conv.passes) == sum(job.task.rows for job in jobs)
    assert 0.8 * capacity <= rows <= capacity
    for job in jobs:
        assert 0 < job.task.pass_places <= 16 * job.task.passes
    assert engine.sibling(engine.view, "copy")._forward_rows == 2
    check(jobs, conv.model)


def test_solo_jobs_of_equal_parameters_are_one_call(mlp: Recording, start: object) -> None:
    engine = start(mlp)
    for method, passes in [
        (LayerGradCam(layer="model.relu"), 1),
        (DeepLift(), 1),
        (LayerIntegratedGradients(layer="model.relu", n_steps=4), 2),
    ]:
        mlp.passes.clear()
        jobs = together(engine, [method] * 4, MLP)
        [job.result() for job in jobs]
        shared = 1  # the endpoints
        captum_extra = 2 if method.name == "layer_integrated_gradients" else 0  # it evaluates the layer at both ends
        assert len(mlp.passes) <= shared + passes + captum_extra


def test_out_of_memory_halves_the_batch_and_goes_on(conv: Recording, start: object) -> None:
    conv.memory_rows = 5
    engine = start(conv, batch_rows=32)
    jobs = together(engine, [IntegratedGradients(), Occlusion(sliding_window_shapes=[3, 4, 4]), Saliency()], CONV)
    check(jobs, conv.model)
    assert max(conv.passes) <= 5
    assert engine.batch_rows == 4  # 32, 16, 8, 4
    assert engine.stats.oom == 3


def test_out_of_memory_in_the_solo_lane(mlp: Recording, start: object) -> None:
    mlp.memory_rows = 4
    engine = start(mlp, batch_rows=16)
    jobs = together(engine, [DeepLift()] * 6, MLP)
    check(jobs, mlp.model)


def test_not_one_row_fits(mlp: Recording, start: object) -> None:
    mlp.memory_rows = 0
    for method in (Saliency(), DeepLift()):
        with pytest.raises(OutOfMemory):
            RunningJob(start(mlp), method, problem_of([draw(MLP, 0)], [1])).result()


@pytest.mark.parametrize(
    "method", [IntegratedGradients(), DeepLift(), LayerGradCam(layer="model.relu")], ids=lambda m: m.name
)
def test_a_job_fails_alone(mlp: Recording, start: object, method: AnyMethod) -> None:
    mlp.poison = 12.5
    engine = start(mlp)
    engine.hold()
    bad_input = draw(MLP, 99)
    bad_input[0, 2] = 12.5
    good = [RunningJob(engine, method, problem_of([draw(MLP, k)], [k % 4])) for k in range(5)]
    bad = RunningJob(engine, method, problem_of([bad_input], [0]))
    engine.release()
    with pytest.raises(JobFailed, match="the model raised ValueError") as caught:
        bad.result()
    assert "12.5" not in str(caught.value)  # a model's message may hold the caller's data
    check(good, mlp)


class RaisesInside(nn.Module):
    """A model whose last layer raises for one input, after the hooks of the layers before it have fired."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.relu = nn.ReLU()
        self.head = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.relu(self.first(x))
        if bool((x == 12.5).any()):
            raise ValueError
        return self.head(hidden)


@pytest.mark.parametrize(
    "method", [DeepLift(), LayerIntegratedGradients(layer="relu"), LayerGradCam(layer="relu")], ids=lambda m: m.name
)
def test_a_failed_solo_call_leaves_no_hooks(start: object, method: AnyMethod) -> None:
    model = frozen(RaisesInside())
    engine = start(model)
    bad = draw(MLP, 1)
    bad[0, 0] = 12.5
    subject = problem_of([draw(MLP, 2)], [1])
    expected = direct(Saliency(), model, model, subject)
    inputs = problem_of([bad], [1])
    engine_solo_only = RunningJob(engine, method, inputs)
    with pytest.raises(JobFailed):
        engine_solo_only.result()
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert all("input" not in module.__dict__ and "output" not in module.__dict__ for module in model.modules())
    assert max_relative_difference(RunningJob(engine, Saliency(), subject).result().attributions, expected) <= 1e-9


def test_cancel_stops_at_the_next_pass_and_disturbs_nobody(conv: Recording, start: object) -> None:
    engine = start(conv)
    conv.go_on.clear()
    long = RunningJob(engine, IntegratedGradients(n_steps=2_000), problem_of([draw(CONV, 0)], [1]))
    other = RunningJob(engine, Saliency(), problem_of([draw(CONV, 1)], [2]))
    assert conv.reached.wait(30)  # inside the first pass
    engine.cancel(long.task)
    conv.go_on.set()
    with pytest.raises(JobCancelled):
        long.result()
    expected = direct(Saliency(), conv.model, conv.model, other.subject)
    assert max_relative_difference(other.result().attributions, expected) <= 1e-9
    assert sum(conv.passes) <= 5


def test_stopping_cancels_what_is_parked(conv: Recording, start: object) -> None:
    engine = start(conv)
    engine.hold()
    job = RunningJob(engine, Saliency(), problem_of([draw(CONV, 0)], [1]))
    engine.stop()
    with pytest.raises(JobCancelled):
        job.result()
    assert not engine.alive


class Counting(nn.Module):
    """Notes the CPU threads that each pass runs with."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.threads.add(torch.get_num_threads())
        return x * 2.0


def test_passes_keep_their_threads_whatever_jobs_set() -> None:
    model = Counting()
    engine = Engine(view_of(model), batch_rows=4, threads=2).start()
    for _ in range(3):
        jobs = [RunningJob(engine, Saliency(), problem_of([draw(MLP, k)], [1])) for k in range(4)]
        [job.result() for job in jobs]
    engine.stop()
    assert model.threads == {2}


@pytest.mark.parametrize("method", [Saliency(), InputXGradient()], ids=lambda m: m.name)
def test_the_pass_of_one_gradient_tells_the_prediction_too(mlp: Recording, start: object, method: AnyMethod) -> None:
    """Without a target each row is explained for its own highest output, beside rows of other jobs in the same pass."""
    engine = start(mlp)
    inputs = [draw(MLP, k).repeat(3, 1) * torch.tensor([[1.0], [-1.0], [0.3]]) for k in range(3)]
    engine.hold()
    jobs = [RunningJob(engine, method, problem_of([x])) for x in inputs]
    jobs.append(RunningJob(engine, method, problem_of([inputs[0]], [3, 0, 1])))
    engine.release()
    outcomes = [job.result() for job in jobs]
    assert mlp.passes == [12]
    assert outcomes[-1].targets == [3, 0, 1]
    for x, job, outcome in zip([*inputs, inputs[0]], jobs, outcomes, strict=True):
        outputs = mlp.model(x)
        targets = job.subject.targets or outputs.argmax(dim=1).tolist()
        assert outcome.targets == targets
        assert torch.allclose(outcome.outputs, outputs, rtol=1e-12)
        expected = direct(method, mlp.model, mlp.model, problem_of([x], targets))
        assert max_relative_difference(outcome.attributions, expected) <= 1e-9
