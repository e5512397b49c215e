"""The interface that both lanes share: what a job waits for, where that waits, and what one turn on the device runs."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import ClassVar, Generic, TypeVar

from torch import Tensor

from schemas.errors import JobError, JobFailed
from schemas.sentences import Sentence
from workers.engine.batch_limit import BatchLimit
from workers.engine.latch import Latch
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.view import ModelView

Tensors = tuple[Tensor, ...]


@dataclass(eq=False)
class Pending(ABC):
    """What a parked job waits for: a block of rows, or a solo request.

    Attributes:
        task: the job.
        lane_key: equal for what waits in one lane.
        outputs: what has been computed, (size, …) each; complete once `settled` is set without an error.
        error: why there are no outputs.
        left: rows or examples that are not computed yet.
    """

    task: Task
    lane_key: Hashable = field(default=None, kw_only=True)
    outputs: Tensors | None = field(default=None, init=False)
    error: JobError | None = field(default=None, init=False)
    settled: Latch = field(default_factory=Latch, init=False)
    left: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.left = self.size

    @property
    @abstractmethod
    def size(self) -> int:
        """Rows of a block, examples of a solo request."""

    def accept(self, start: int, outputs: Tensors) -> JobError | None:
        """Stores the outputs of the rows or examples from `start` on.

        Returns:
            An error where their shape differs from that of earlier outputs: the job fails, the engine goes on.
        """
        count = outputs[0].shape[0]
        if count == self.size:
            self.outputs = outputs
        else:
            if self.outputs is None:
                self.outputs = tuple(out.new_empty((self.size, *out.shape[1:])) for out in outputs)
            for whole, part in zip(self.outputs, outputs, strict=True):
                if whole.shape[1:] != part.shape[1:]:
                    return JobFailed(
                        Sentence(
                            "the model's outputs change their shape from pass to pass: {some} for some rows and "
                            "{others} for others",
                            some=list(whole.shape[1:]),
                            others=list(part.shape[1:]),
                        )
                    )
                whole[start : start + count] = part
        self.left -= count
        return None

    def wait(self) -> Tensors:
        """Blocks the calling job's thread until the engine has settled this. Other jobs may draw meanwhile.

        Raises:
            JobError: the job was cancelled, does not fit into memory, or the model raised.
        """
        started_s = perf_counter()
        with self.task.waits(), nullcontext() if self.task.random is None else self.task.random.paused():
            self.settled.wait()
        self.task.parked_s += perf_counter() - started_s
        return self.result()

    def result(self) -> Tensors:
        """The outputs.

        Raises:
            JobError: why there are none.
        """
        if self.error is not None:
            raise self.error
        if self.outputs is None:
            raise RuntimeError("settled without outputs")
        return self.outputs


P = TypeVar("P", bound=Pending)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a run gave a pending: outputs of its rows or examples from `start` on, or an error."""

    pending: Pending
    start: int = 0
    outputs: Tensors = ()
    error: JobError | None = None

    def deliver(self) -> JobError | None:
        """Hands the outputs to the pending. Returns the error that ends it, if any."""
        return self.error or self.pending.accept(self.start, self.outputs)


class Work(ABC):
    """What one turn on the device runs: a shared pass, or a group of solo requests."""

    packed: ClassVar[bool]  # rows of several jobs share the pass

    @property
    @abstractmethod
    def rows(self) -> int:
        """Rows that go through the model."""

    @property
    def places(self) -> int:
        """Places that these rows take, of as many as the engine's batch size."""
        return self.rows

    def capacity(self, places: int) -> int:
        """Rows of this kind for which a pass of so many places has room, those of this work at least."""
        return max(places, self.rows)

    @abstractmethod
    def pendings(self) -> list[Pending]:
        """All that this work computes."""

    @abstractmethod
    def run(self, view: ModelView, stats: EngineStats) -> list[Delivery]:
        """Runs all of it, and counts its rows and passes.

        Raises:
            Exception: whatever the model raises; nothing is delivered then.
        """

    @abstractmethod
    def pieces(self, most_places: int, without: Collection[Pending]) -> list["Work"]:
        """The same work, cut into passes of at most `most_places` places; what belongs to `without` is left out."""

    @abstractmethod
    def smaller(self, limit: BatchLimit) -> list["Work"]:
        """What to run instead after a lack of memory; nothing where a smaller batch cannot help."""

    @abstractmethod
    def apart(self) -> list["Work"]:
        """What to run instead after another error, so that a failing job fails alone; nothing if it cannot be cut."""

    def begin(self) -> float:
        """Notes on the jobs that their work is on the device. Returns when it began, by the monotonic clock."""
        now_s, thread = monotonic(), threading.get_ident()
        for pending in self.pendings():
            pending.task.pass_began_s, pending.task.pass_thread = now_s, thread
        return now_s

    def end(self, began_s: float) -> None:
        """Ends what `begin` began, but for jobs whose next rows are on the device by now."""
        for pending in self.pendings():
            if pending.task.pass_began_s == began_s:
                pending.task.pass_began_s = pending.task.pass_thread = None

    def charge(self, seconds: float) -> None:
        """Adds the time and the places of this work to the jobs that took part."""
        for pending in self.pendings():
            pending.task.pass_s += seconds
            pending.task.pass_places += self.places


class Lane(ABC, Generic[P]):
    """Pendings of one kind that may run together, in order of arrival."""

    skipped = 0  # times in a row that other work was chosen
    since = 0  # place in the order of arrival of its oldest work

    @abstractmethod
    def __len__(self) -> int:
        """Places of a pass that its rows would take now."""

    @abstractmethod
    def add(self, pending: P, number: int) -> None:
        """Appends a pending. `number` is its place in the order of arrival in the engine."""

    @abstractmethod
    def take(self, batch_rows: int) -> Work:
        """Takes the next work of about `batch_rows` places out. The lane must not be empty."""

    @abstractmethod
    def discard(self, pending: P) -> None:
        """Drops a pending that is settled, if the lane still has it."""

    @abstractmethod
    def of_task(self, task: Task) -> list[P]:
        """All pendings of a task that may be settled now."""
