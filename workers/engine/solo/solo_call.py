"""The tensors of a solo call."""

from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]


@dataclass(slots=True, eq=False)
class SoloCall:
    """What a method takes beside its parameters. Tensors are (examples, …), where nothing else is said.

    Calls that have one of the last four belong to one job and are never joined with others.

    Attributes:
        inputs: of the model.
        additional_forward_args: of the model.
        baselines: of the method, if it takes any.
        targets: (examples,) or (examples, dimensions) int64, or None.
        baseline_distribution: (samples, …).
        feature_mask: (1 or examples, …).
        layer_mask: (1 or examples, …).
        layer_values: (1 or examples, …).
    """

    inputs: Tensors
    additional_forward_args: Tensors
    baselines: Tensors | None
    targets: Tensor | None
    baseline_distribution: Tensors | None = None
    feature_mask: Tensors | None = None
    layer_mask: Tensors | None = None
    layer_values: Tensors | None = None

    @property
    def examples(self) -> int:
        return int(self.inputs[0].shape[0])

    def part(self, start: int, stop: int) -> "SoloCall":
        """The call for examples `start` to `stop` (exclusive)."""

        def cut(tensors: Tensors) -> Tensors:
            return tuple(tensor[start:stop] for tensor in tensors)

        def shared_or_cut(masks: Tensors | None) -> Tensors | None:
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


def joined(calls: list[SoloCall]) -> SoloCall:
    """The examples of all calls, in order, as one call. Calls with tensors of their own job cannot be joined."""
    if len(calls) == 1:
        return calls[0]

    def join(tensors: list[Tensors]) -> Tensors:
        return tuple(torch.cat(column) for column in zip(*tensors, strict=True))

    first = calls[0]
    return SoloCall(
        join([call.inputs for call in calls]),
        join([call.additional_forward_args for call in calls]),
        None if first.baselines is None else join([call.baselines for call in calls if call.baselines is not None]),
        None if first.targets is None else torch.cat([call.targets for call in calls if call.targets is not None]),
    )
