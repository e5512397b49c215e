"""The solo lane's work: one Captum call for the examples of several jobs."""

from collections.abc import Callable, Collection, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from schemas.errors import JobCancelled
from workers.engine.batch_limit import BatchLimit
from workers.engine.randomness.single_rows import one_row_each
from workers.engine.randomness.stream import RandomStream
from workers.engine.solo.hooks import HookSnapshot
from workers.engine.solo.solo_call import SoloCall, joined
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.turns import Turns
from workers.engine.view import ModelView
from workers.engine.work import Delivery, Lane, Pending, Tensors, Work

Attribute = Callable[[ModelView, SoloCall, int], Tensors]


@dataclass(eq=False)
class SoloRequest(Pending):
    """One job's call for the solo lane. Its outputs are attributions, (examples, …) each.

    Args:
        task: the job.
        call: its tensors.
        attribute: the Captum call; takes the model, the tensors, and the rows that a pass may hold.
        key: equal for requests that may be joined; None for one that must run by itself.
        rows_each: rows that one example puts into one pass.
        divisible: its examples may be computed in several calls.
    """

    call: SoloCall
    attribute: Attribute
    key: Hashable | None
    rows_each: int = 1
    divisible: bool = True
    lane_key: Hashable = field(default="solo", kw_only=True)

    @property
    def size(self) -> int:
        return self.call.examples

    @property
    def rows(self) -> int:
        """Rows of one pass over all examples."""
        return self.call.examples * self.rows_each


@dataclass(slots=True, eq=False)
class SoloGroup(Work):
    """Requests of one key, as one Captum call.

    Attributes:
        requests: in order of arrival.
        batch_rows: rows that a pass may hold.
        rows: that have gone through the model.
        passes: through the model.
    """

    requests: list[SoloRequest]
    batch_rows: int
    rows: int = 0
    passes: int = 0
    packed = False

    def pendings(self) -> list[Pending]:
        return [*self.requests]

    def run(self, view: ModelView, stats: EngineStats) -> list[Delivery]:
        """Runs the Captum call and leaves the model's hooks as they were.

        Raises:
            JobCancelled: every job of the group is cancelled.
            Exception: whatever the model or Captum raises.
        """
        counters = [m.register_forward_hook(self._count) for m in {view.layer_module, view.hookable} if m is not None]
        hooks = HookSnapshot(view.module, view.layer_module, view.hook_module)
        try:
            attributions = self._attributions(view)
        finally:
            hooks.restore()
            for counter in counters:
                counter.remove()
            stats.count_solo(self.rows, self.passes)
        sizes = [request.size for request in self.requests]
        parts = zip(*(torch.split(tensor, sizes) for tensor in attributions), strict=True)
        return [Delivery(request, 0, part) for request, part in zip(self.requests, parts, strict=True)]

    def _attributions(self, view: ModelView) -> Tensors:
        """Of all requests, (examples, …) each."""
        call = joined([request.call for request in self.requests])
        first = self.requests[0]
        step = max(1, self.batch_rows // first.rows_each) if first.divisible else call.examples
        step = 1 if view.alone_reason else step
        with self._stream(view), one_row_each(view, first.task.seed):
            starts = range(0, call.examples, step)
            parts = [first.attribute(view, call.part(start, start + step), self.batch_rows) for start in starts]
        return tuple(torch.cat(tensors).detach() for tensors in zip(*parts, strict=True))

    def _stream(self, view: ModelView) -> AbstractContextManager[object]:
        """The random numbers of a method or a model that draws."""
        task = self.requests[0].task
        if task.random is not None:
            return task.random
        return RandomStream(task.seed, view.device) if view.draws_random else nullcontext()

    def _count(self, module: nn.Module, args: object, output: object) -> None:
        """A hook that counts the rows of each pass, and ends the call once all of its jobs are cancelled."""
        if all(request.task.cancelled.is_set() for request in self.requests):
            raise JobCancelled("the job was cancelled")
        rows = int(output.shape[0]) if isinstance(output, Tensor) else 0
        self.rows += rows
        self.passes += 1
        examples = sum(request.call.examples for request in self.requests)
        for request in self.requests:
            request.task.rows += rows * request.call.examples // examples
            request.task.passes += 1

    def pieces(self, most_places: int, without: Collection[Pending]) -> list[Work]:
        return [self]

    def smaller(self, limit: BatchLimit) -> list[Work]:
        if len(self.requests) > 1 or self.batch_rows == 1:
            return []
        return [SoloGroup(self.requests, self.batch_rows // 2)]

    def apart(self) -> list[Work]:
        if len(self.requests) == 1:
            return []
        return [SoloGroup([request], self.batch_rows) for request in self.requests]


class SoloLane(Lane[SoloRequest]):
    """Solo requests, taken in groups of one key. A request leaves the lane when it is taken: it runs in one piece."""

    def __init__(self) -> None:
        self._waiting: list[SoloRequest] = []
        self._turns = Turns()

    def __len__(self) -> int:
        return sum(request.rows for request in self._candidates())

    def add(self, pending: SoloRequest, number: int) -> None:
        self._waiting.append(pending)

    def take(self, batch_rows: int) -> SoloGroup:
        """The next request, and those of its key that fit into a batch with it.

        Next is an interactive request before others; among those the owners take turns, and each owner's come in order
        of arrival.
        """
        chosen: list[SoloRequest] = []
        rows = 0
        for request in self._candidates():
            rows += request.rows
            if chosen and rows > batch_rows:
                break
            chosen.append(request)
        for request in chosen:
            self._turns.serve(request.task.owner, request.rows)
        self._waiting = [request for request in self._waiting if request not in chosen]
        return SoloGroup(chosen, batch_rows)

    def discard(self, pending: SoloRequest) -> None:
        self._waiting = [request for request in self._waiting if request is not pending]

    def of_task(self, task: Task) -> list[SoloRequest]:
        return [request for request in self._waiting if request.task is task]

    def _candidates(self) -> list[SoloRequest]:
        """The request whose turn it is, and all that may be joined with it."""
        if not self._waiting:
            return []
        place = {owner: number for number, owner in enumerate(self._turns.order(self._owners()))}
        first = min(  # the first of equals
            self._waiting, key=lambda request: (request.task.priority == "batch", place[request.task.owner])
        )
        if first.key is None:
            return [first]
        return [first, *(request for request in self._waiting if request.key == first.key and request is not first)]

    def _owners(self) -> list[str]:
        """Of the waiting requests, each once, in order of arrival."""
        return list(dict.fromkeys(request.task.owner for request in self._waiting))
