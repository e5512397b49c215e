"""The shared lane's work: rows of several jobs in one pass."""

from collections.abc import Collection
from dataclasses import dataclass

from workers.engine.batch_limit import BatchLimit
from workers.engine.randomness.single_rows import seeded
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import Block, Part
from workers.engine.shared.packer import RowQueue
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.engine.work import Delivery, Lane, Pending, Work


@dataclass(frozen=True, slots=True)
class SharedPass(Work):
    """Rows of several blocks of one lane, for one pass."""

    parts: list[Part]
    packed = True

    @property
    def size(self) -> int:
        """Rows of the blocks, each of which is one or two rows of the model."""
        return sum(part.size for part in self.parts)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def places(self) -> int:
        return self.parts[0].block.places(self.size)

    def capacity(self, places: int) -> int:
        first = self.parts[0].block
        return max(first.fitting(places) * first.rows_each, self.rows)

    def pendings(self) -> list[Pending]:
        return [part.block for part in self.parts]

    def run(self, view: ModelView, stats: EngineStats) -> list[Delivery]:
        first = self.parts[0].block
        with seeded(view, first.task.seed):
            outputs = run_pass(view, first.kind, self.parts)
        stats.count_shared(self.rows)
        return [Delivery(part.block, part.start, out) for part, out in zip(self.parts, outputs, strict=True)]

    def pieces(self, most_places: int, without: Collection[Pending]) -> list[Work]:
        parts = [part for part in self.parts if part.block not in without]
        return [SharedPass(cut) for cut in _cut(parts, most_places)]

    def smaller(self, limit: BatchLimit) -> list[Work]:
        if self.size == 1:
            return []
        limit.halve(max(2, self.places))  # the pieces are cut to it
        return [self]

    def apart(self) -> list[Work]:
        if len(self.parts) > 1:
            return [SharedPass([part]) for part in self.parts]
        return self.pieces(1, without=()) if self.size > 1 else []


class SharedLane(Lane[Block]):
    """Blocks whose rows may share passes: of one kind and rule, with equal shapes and types.

    A block stays until it is settled, since its rows may be spread over several passes.
    """

    def __init__(self) -> None:
        self._queue = RowQueue()
        self._blocks: dict[int, Block] = {}
        self._any: Block | None = None  # rows of all take the same places: a row and its baseline stay together

    def __len__(self) -> int:
        return 0 if self._any is None else self._any.places(len(self._queue))

    def add(self, pending: Block, number: int) -> None:
        pending.number = number
        self._blocks[number] = pending
        self._any = pending
        self._queue.add(number, pending.size, pending.task.priority, pending.task.owner)

    def take(self, batch_rows: int) -> Work:
        slices = self._queue.take(1 if self._any is None else self._any.fitting(batch_rows))
        return SharedPass([Part(self._blocks[s.block], s.start, s.stop) for s in slices])

    def discard(self, pending: Block) -> None:
        self._blocks.pop(pending.number, None)
        self._queue.remove(pending.number)

    def of_task(self, task: Task) -> list[Block]:
        return [block for block in self._blocks.values() if block.task is task]


def _cut(parts: list[Part], most_places: int) -> list[list[Part]]:
    """The same rows, in order, in lists that take at most `most_places` places; a row stays with its baseline."""
    lists: list[list[Part]] = [[]]
    most = parts[0].block.fitting(most_places) if parts else 1
    free = most
    for part in parts:
        start = part.start
        while start < part.stop:
            if not free:
                lists.append([])
                free = most
            stop = min(part.stop, start + free)
            lists[-1].append(Part(part.block, start, stop))
            free -= stop - start
            start = stop
    return [cut for cut in lists if cut]
