"""Which work an engine does next. Holds what waits; knows no threads and runs nothing."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count

from workers.engine.block import Block, PassKind
from workers.engine.packer import RowQueue
from workers.engine.passes import Part
from workers.engine.solo import SoloGroup, SoloQueue, SoloRequest
from workers.engine.task import Task

PATIENCE = 2  # passes that work which could run may be passed over for fuller work


@dataclass(slots=True, eq=False)
class Lane:
    """Rows that may share passes: same kind, shapes and types."""

    kind: PassKind
    queue: RowQueue = field(default_factory=RowQueue)
    skipped: int = 0
    since: int = 0  # order in which it got its oldest waiting rows

    def __len__(self) -> int:
        return len(self.queue)


@dataclass(frozen=True, slots=True)
class SharedPass:
    """Rows of several jobs for one pass."""

    kind: PassKind
    parts: list[Part]


Work = SharedPass | SoloGroup


class Schedule:
    """Blocks and solo requests that wait, and the choice among them."""

    def __init__(self) -> None:
        self._numbers = count()
        self._blocks: dict[int, Block] = {}
        self._lanes: dict[Hashable, Lane] = {}
        self._solo = SoloQueue()

    def add_block(self, block: Block, key: Hashable) -> None:
        """Queues a block in the lane of its key."""
        lane = self._lanes.setdefault(key, Lane(block.kind))
        block.number = next(self._numbers)
        if not lane.queue:
            lane.since = block.number
        self._blocks[block.number] = block
        lane.queue.add(block.number, block.rows, block.task.priority)

    def add_solo(self, request: SoloRequest) -> None:
        self._solo.add(request, next(self._numbers))

    def holds(self, block: Block) -> bool:
        """False once a block was answered, failed or dropped."""
        return block.number in self._blocks

    def remove_block(self, block: Block) -> None:
        del self._blocks[block.number]
        for lane in self._lanes.values():
            lane.queue.remove(block.number)

    def remove_task(self, task: Task) -> Iterator[Block | SoloRequest]:
        """Takes out all that waits for a task."""
        for block in [b for b in self._blocks.values() if b.task is task]:
            self.remove_block(block)
            yield block
        yield from self._solo.remove(task)

    def next(self, batch_rows: int, *, quiet: bool) -> Work | None:
        """The next work: what fills a batch, or anything when `quiet` (nothing more can come).

        Fuller work goes first, then older; but work passed over `PATIENCE` times goes before all else, so that one kind
        of rows never shuts another out.
        """
        waiting: list[Lane | SoloQueue] = [lane for lane in self._lanes.values() if lane.queue]
        if len(self._solo):
            waiting.append(self._solo)
        ready = [w for w in waiting if quiet or len(w) >= batch_rows]
        if not ready:
            return None
        chosen = min(ready, key=lambda w: (w.skipped < PATIENCE, len(w) < batch_rows, w.since))
        for other in ready:
            other.skipped = 0 if other is chosen else other.skipped + 1
        chosen.since = next(self._numbers)
        if isinstance(chosen, SoloQueue):
            return chosen.take(batch_rows)
        slices = chosen.queue.take(batch_rows)
        return SharedPass(chosen.kind, [Part(self._blocks[s.block], s.start, s.stop) for s in slices])
