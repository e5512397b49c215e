"""The solo lane: methods that hang hooks on the model, run while nothing else touches it.

Jobs with the same method, parameters and shapes are concatenated along the batch into one Captum call.
"""

import threading
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from schemas.errors import JobCancelled, JobError
from workers.engine.block import result_of
from workers.engine.hooks import HookSnapshot
from workers.engine.randomness import RandomStream
from workers.engine.single_rows import one_row_each
from workers.engine.task import Task
from workers.engine.view import ModelView


@dataclass(slots=True, eq=False)
class SoloCall:
    """What a method needs beside its parameters. Tensors are (examples, …); `targets` is (examples,) or
    (examples, dimensions), or None.

    `baseline_distribution` (samples, …) and the masks (1 or examples, …) belong to the whole call: with them it
    runs by itself.
    """

    inputs: tuple[Tensor, ...]
    additional_forward_args: tuple[Tensor, ...]
    baselines: tuple[Tensor, ...] | None
    targets: Tensor | None
    baseline_distribution: tuple[Tensor, ...] | None = None
    feature_mask: tuple[Tensor, ...] | None = None
    layer_mask: tuple[Tensor, ...] | None = None
    layer_values: tuple[Tensor, ...] | None = None

    @property
    def examples(self) -> int:
        return int(self.inputs[0].shape[0])

    def part(self, start: int, stop: int) -> "SoloCall":
        def cut(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(tensor[start:stop] for tensor in tensors)

        def shared_or_cut(masks: tuple[Tensor, ...] | None) -> tuple[Tensor, ...] | None:
            return masks and tuple(mask if len(mask) == 1 else mask[start:stop] for mask in masks)

        return SoloCall(
            cut(self.inputs),
            cut(self.additional_forward_args),
            None if self.baselines is None else cut(self.baselines),
            None if self.targets is None else self.targets[start:stop],
            self.baseline_distribution,
            shared_or_cut(self.feature_mask),
            shared_or_cut(self.layer_mask),
            shared_or_cut(self.layer_values),
        )


Attribute = Callable[[ModelView, SoloCall, int], tuple[Tensor, ...]]


@dataclass(slots=True, eq=False)
class SoloRequest:
    """One job's wish for the model alone.

    `attribute(view, call, batch_rows)` is the Captum call; `key` is equal for requests that may be concatenated, None
    for one that must run by itself; `rows_each` is the rows that one example puts into one pass.
    """

    task: Task
    call: SoloCall
    attribute: Attribute
    key: Hashable | None
    rows_each: int = 1
    divisible: bool = True  # its examples may be computed in several calls
    answer: tuple[Tensor, ...] | None = None
    error: JobError | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def result(self) -> tuple[Tensor, ...]:
        """The attributions, (examples, …) each.

        Raises:
            JobError: what went wrong instead.
        """
        return result_of(self.answer, self.error)


class SoloQueue:
    """Requests in order of arrival, taken in groups of equal key."""

    def __init__(self) -> None:
        self._waiting: list[SoloRequest] = []
        self.skipped = 0
        self.since = 0

    def __len__(self) -> int:
        """Rows of the group that would be taken next."""
        return sum(r.call.examples * r.rows_each for r in self._next())

    def add(self, request: SoloRequest, arrival: int) -> None:
        if not self._waiting:
            self.since = arrival
        self._waiting.append(request)

    def remove(self, task: Task) -> list[SoloRequest]:
        gone = [r for r in self._waiting if r.task is task]
        self._waiting = [r for r in self._waiting if r.task is not task]
        return gone

    def take(self, batch_rows: int) -> "SoloGroup":
        """The oldest request and those that may be concatenated with it, while they fit into a batch."""
        chosen: list[SoloRequest] = []
        rows = 0
        for request in self._next():
            rows += request.call.examples * request.rows_each
            if chosen and rows > batch_rows:
                break
            chosen.append(request)
        self._waiting = [r for r in self._waiting if r not in chosen]
        return SoloGroup(chosen)

    def _next(self) -> list[SoloRequest]:
        if not self._waiting:
            return []
        first = min(self._waiting, key=lambda r: r.task.priority == "batch")  # stable: oldest interactive, else oldest
        if first.key is None:
            return [first]
        return [first, *(r for r in self._waiting if r.key == first.key and r is not first)]


@dataclass(slots=True, eq=False)
class SoloGroup:
    """Requests that run as one Captum call."""

    requests: list[SoloRequest]
    rows: int = 0
    passes: int = 0

    def run(self, view: ModelView, batch_rows: int) -> int:
        """Fills in every request's answer; returns the rows that went through the model.

        Raises:
            JobCancelled: every job of the group was cancelled meanwhile.
            Whatever the model or Captum raises; the model's hooks are as they were before.
        """
        call = _concatenate([r.call for r in self.requests])
        first = self.requests[0]
        step = max(1, batch_rows // first.rows_each) if first.divisible else call.examples
        step = 1 if view.alone else step
        counters = [m.register_forward_hook(self._count) for m in {view.layer_module, view.hookable} if m is not None]
        hooks = HookSnapshot(view.module, view.layer_module, view.hook_module)
        try:
            stream = first.task.random or (RandomStream(first.task.seed, view.device) if view.random else nullcontext())
            with stream, one_row_each(view, first.task.seed):
                starts = range(0, call.examples, step)
                parts = [first.attribute(view, call.part(i, i + step), batch_rows) for i in starts]
        finally:
            hooks.restore()
            for counter in counters:
                counter.remove()
        whole = tuple(torch.cat(tensors).detach() for tensors in zip(*parts, strict=True))
        start = 0
        for request in self.requests:
            stop = start + request.call.examples
            request.answer = tuple(tensor[start:stop] for tensor in whole)
            start = stop
        return self.rows

    def _count(self, module: nn.Module, args: object, output: object) -> None:
        """Fires at each pass through the model: counts its rows, and is where a cancelled job stops."""
        if all(r.task.cancelled.is_set() for r in self.requests):
            raise JobCancelled("the job was cancelled")
        rows = int(output.shape[0]) if isinstance(output, Tensor) else 0
        self.rows += rows
        self.passes += 1
        examples = sum(r.call.examples for r in self.requests)
        for request in self.requests:
            request.task.rows += rows * request.call.examples // examples
            request.task.passes += 1


def _concatenate(calls: list[SoloCall]) -> SoloCall:
    if len(calls) == 1:
        return calls[0]

    def join(tensors: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return tuple(torch.cat(column) for column in zip(*tensors, strict=True))

    first = calls[0]
    return SoloCall(
        join([c.inputs for c in calls]),
        join([c.additional_forward_args for c in calls]),
        None if first.baselines is None else join([c.baselines for c in calls if c.baselines is not None]),
        None if first.targets is None else torch.cat([c.targets for c in calls if c.targets is not None]),
    )
