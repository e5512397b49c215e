"""Which work an engine does next. Pure: holds what waits, runs nothing."""

from collections.abc import Callable, Hashable
from itertools import count
from typing import Any

from workers.engine.task import Task
from workers.engine.tuning import PATIENCE_PASSES
from workers.engine.work import Lane, P, Pending, Work


class Schedule:
    """The lanes of an engine, and the choice among them."""

    def __init__(self) -> None:
        self._arrivals = count()
        self._lanes: dict[Hashable, Lane[Any]] = {}

    def add(self, pending: P, new_lane: Callable[[], Lane[P]]) -> None:
        """Queues a pending in the lane of its key. `new_lane` makes that lane where there is none yet."""
        if pending.lane_key not in self._lanes:
            self._lanes[pending.lane_key] = new_lane()
        lane = self._lanes[pending.lane_key]
        number = next(self._arrivals)
        if not len(lane):
            lane.since = number
        lane.add(pending, number)

    def discard(self, pending: Pending) -> None:
        """Drops a pending that is settled."""
        self._lanes[pending.lane_key].discard(pending)

    def remove_task(self, task: Task) -> list[Pending]:
        """Takes out and returns all that may be settled of a task."""
        removed = [pending for lane in self._lanes.values() for pending in lane.of_task(task)]
        for pending in removed:
            self.discard(pending)
        return removed

    @property
    def fullest_rows(self) -> int:
        """Rows that wait in the fullest lane."""
        return max(map(len, self._lanes.values()), default=0)

    def next(self, batch_rows: int, least_rows: int) -> Work | None:
        """Takes the next work out, of about `batch_rows` rows, from a lane in which at least `least_rows` wait.

        Full work goes first, then older work; but a lane that was passed over `PATIENCE_PASSES` times goes before all
        others, so that no kind of rows shuts another out.
        """
        ready = [lane for lane in self._lanes.values() if len(lane) >= max(1, least_rows)]
        if not ready:
            return None
        chosen = min(ready, key=lambda lane: (lane.skipped < PATIENCE_PASSES, len(lane) < batch_rows, lane.since))
        for lane in ready:
            lane.skipped = 0 if lane is chosen else lane.skipped + 1
        chosen.since = next(self._arrivals)
        return chosen.take(batch_rows)
