"""An engine on a device that computes while the host goes on. Scenarios are random, and so are the threads' turns."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from schemas.errors import JobCancelled, JobError, JobFailed
from schemas.requests import Priority
from tests.workers.toys import view_of
from workers.engine.device.gate import DeviceGate
from workers.engine.device.stand_in import StandIn
from workers.engine.engine import Engine
from workers.engine.schedule import Schedule
from workers.engine.shared.block import PassKind
from workers.engine.shared.shared_pass import SharedPass
from workers.engine.task import Task
from workers.engine.tuning import BATCH_PRIORITY_SHARE, LAUNCH_LEAD_S, LAUNCH_LEAD_TIMES, PATIENCE_PASSES
from workers.engine.work import Work

BATCH = 16
PASS_S, ROW_S = 0.0005, 0.0001


@dataclass(frozen=True)
class Job:
    """What one job of a scenario does.

    Attributes:
        blocks: rows of its blocks, one after another.
        after: it starts once this earlier job has had its first block, or has failed; None: at once.
        bad: the block that holds a row on which the model raises, if any.
        cancelled: the pass with rows of this job, counted from 0, during which it is cancelled, if any.
    """

    priority: Priority
    kind: PassKind
    blocks: tuple[int, ...]
    after: int | None
    bad: int | None
    cancelled: int | None


@st.composite
def scenarios(draw: st.DrawFn) -> list[Job]:
    rare = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 2))
    return [
        Job(
            priority=draw(st.sampled_from(["interactive", "interactive", "batch"])),
            kind=draw(st.sampled_from(["gradient", "gradient", "forward"])),
            blocks=tuple(draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))),
            after=draw(st.one_of(st.none(), st.integers(0, number - 1))) if number else None,
            bad=draw(rare),
            cancelled=draw(rare),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


class Doubling(nn.Module):
    """Doubles the number of each row, (rows, 2) -> (rows, 1). Counts rows; raises where dimension 1 is set.

    Has memory for `memory_rows` rows, and calls `passing` with the rows of a pass that it computes.
    """

    def __init__(self, memory_rows: int) -> None:
        super().__init__()
        self.memory_rows = memory_rows
        self.seen: Counter[int] = Counter()
        self.passing: Any = lambda rows: None

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.memory_rows:
            raise torch.OutOfMemoryError
        if bool(x[:, 1].any()):
            raise ValueError("a value of the input")
        rows = [int(number) for number in x.detach()[:, 0].tolist()]
        self.seen.update(rows)
        self.passing(rows)
        return 2 * x[:, :1]


@dataclass
class Packed:
    """One pass, as the schedule packed it, and what it left behind."""

    rows: int
    batch_rows: int
    outstanding: int
    free_in_s: float
    lead_s: float
    passed_over: int
    batch_priority_rows: int
    left_rows: int
    left_interactive_rows: int


@dataclass
class Watched:
    """Writes down each pass that a schedule packs, under the lock under which it does."""

    device: StandIn
    gate: DeviceGate
    packed: list[Packed] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Schedule.next

        def watched(schedule: Schedule, batch_rows: int, least_rows: int) -> Work | None:
            skipped = {key: lane.skipped for key, lane in schedule._lanes.items()}
            outstanding, free_in_s = self.gate._outstanding, self.device.free_at_s - perf_counter()
            work = original(schedule, batch_rows, least_rows)
            if isinstance(work, SharedPass):
                key = work.parts[0].block.lane_key
                queue = schedule._lanes[key]._queue
                left = list(queue._waiting.values())
                self.packed.append(
                    Packed(
                        work.rows,
                        batch_rows,
                        outstanding,
                        free_in_s,
                        LAUNCH_LEAD_S + LAUNCH_LEAD_TIMES * self.gate._launch_s,
                        skipped[key],
                        sum(part.rows for part in work.parts if part.block.task.priority == "batch"),
                        len(queue),
                        sum(one.left for one in left if one.priority == "interactive"),
                    )
                )
            return work

        monkeypatch.setattr(Schedule, "next", watched)


class Counted(StandIn):
    """Notes how many passes are outstanding, the new one included, whenever one is submitted."""

    def __init__(self) -> None:
        super().__init__(PASS_S, ROW_S)
        self.outstanding: list[int] = []

    def submit(self, launch: Any) -> Any:
        pending = super().submit(launch)
        with self._changed:
            self.outstanding.append(len(self._queue))
        return pending


class Run(threading.Thread):
    """One job of a scenario, in its thread. `error` is how it ended."""

    def __init__(self, engine: Engine, number: int, job: Job, runs: list["Run"]) -> None:
        super().__init__(daemon=True)
        self.engine, self.job, self.runs = engine, job, runs
        self.task = Task(f"job-{number}", job.priority)
        self.first = 1_000 * number  # the number of its first row
        self.arrived, self.error, self.passes = threading.Event(), None, 0

    def run(self) -> None:
        if self.job.after is not None:
            assert self.runs[self.job.after].arrived.wait(60)
        self.engine.enter(self.task)
        try:
            number = self.first
            for index, rows in enumerate(self.job.blocks):
                x = torch.zeros(rows, 2, dtype=torch.float64)
                x[:, 0] = torch.arange(number, number + rows)
                x[rows // 2, 1] = float(self.job.bad == index)
                self.check(x, self.engine.compute(self.task, self.job.kind, (x,), (), None))
                number += rows
                self.arrived.set()
        except JobError as error:
            self.error = error
        finally:
            self.arrived.set()
            self.engine.leave(self.task)

    def check(self, x: Tensor, outputs: tuple[Tensor, ...]) -> None:
        if self.job.kind == "gradient":
            assert outputs[0].tolist() == [[2.0, 0.0]] * len(x)
        assert outputs[-1].flatten().tolist() == (2 * x[:, 0]).tolist()

    def note_pass(self) -> None:
        """Counts a pass with rows of this job, and cancels the job when it is time."""
        if self.passes == self.job.cancelled:
            self.engine.cancel(self.task)
        self.passes += 1


@settings(max_examples=40, deadline=None)
@given(jobs=scenarios(), memory_rows=st.sampled_from([1, 5, BATCH, BATCH]))
def test_any_jobs_on_a_device_that_computes_asynchronously(jobs: list[Job], memory_rows: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        device, model = Counted(), Doubling(memory_rows)
        gate = DeviceGate(device)
        watched = Watched(device, gate)
        watched.install(monkeypatch)
        engine = Engine(view_of(model), batch_rows=BATCH, gate=gate, threads=1).start()
        runs: list[Run] = []
        runs += [Run(engine, number, job, runs) for number, job in enumerate(jobs)]
        model.passing = lambda rows: [runs[number].note_pass() for number in {row // 1_000 for row in rows}]
        for run in runs:
            run.start()
        for run in runs:
            run.join(60)
            assert not run.is_alive(), "a job did not end"
        engine.stop()
    for run in runs:
        check_end(run, model)
    assert max(model.seen.values(), default=0) <= 1, "no row is computed twice"
    assert max(device.outstanding, default=0) <= 2
    for packed in watched.packed:
        check_packed(packed)


def check_end(run: Run, model: Doubling) -> None:
    """A job ends as its scenario says; unless it was stopped, each of its rows was computed once."""
    job, rows = run.job, range(run.first, run.first + sum(run.job.blocks))
    may_fail = job.bad is not None and job.bad < len(job.blocks)
    if run.error is None:
        assert not may_fail
        assert run.passes <= job.cancelled if job.cancelled is not None else True
        assert [model.seen[row] for row in rows] == [1] * len(rows)
    elif isinstance(run.error, JobCancelled):
        assert job.cancelled is not None
        assert run.passes > job.cancelled
    else:
        assert isinstance(run.error, JobFailed)
        assert may_fail


def check_packed(packed: Packed) -> None:
    """Full, or all that waits; and part-filled only for a device that is about to be free."""
    assert packed.outstanding <= 1, "one pass runs and one waits"
    assert packed.rows <= packed.batch_rows
    if packed.rows < packed.batch_rows:
        assert packed.left_rows == 0
        overdue = packed.passed_over >= PATIENCE_PASSES
        assert packed.outstanding == 0 or packed.free_in_s <= packed.lead_s or overdue
    if packed.left_interactive_rows:
        assert packed.batch_priority_rows <= max(1, packed.batch_rows // BATCH_PRIORITY_SHARE)
