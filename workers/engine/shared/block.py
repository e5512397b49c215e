"""Rows that a job hands to the engine, and what it gets back."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from schemas.errors import JobError
from workers.engine.work import Pending, Tensors

PassKind = Literal["forward", "gradient"]


@dataclass(eq=False)
class Block(Pending):
    """Rows of one job for the shared lane.

    A forward block gives one tensor, the outputs, (rows, …). A gradient block gives one tensor per input, of its shape,
    d(target output) / d(input); then the target outputs, (rows,), or with `all_outputs` all outputs, (rows, …).

    Args:
        task: the job.
        kind: of its passes.
        inputs: (rows, …) each.
        additional_forward_args: (rows, …) each.
        targets: (rows,) or (rows, dimensions) int64, or None. In a gradient block `PREDICTED` stands for a row's
            highest output.
        all_outputs: whether gradients come with all outputs.
    """

    kind: PassKind
    inputs: Tensors
    additional_forward_args: Tensors
    targets: Tensor | None
    all_outputs: bool = False
    number: int = field(default=-1, init=False)  # given by the lane

    @property
    def rows(self) -> int:
        return int(self.inputs[0].shape[0])

    @property
    def size(self) -> int:
        return self.rows

    def accept(self, start: int, outputs: Tensors) -> JobError | None:
        error = super().accept(start, outputs)
        if error is None:
            self.task.rows += outputs[0].shape[0]
            self.task.passes += 1
        return error


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `stop` (exclusive) of a block, in a pass."""

    block: Block
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def of(self, tensor: Tensor) -> Tensor:
        """The rows of the part, of a tensor with all rows of the block."""
        return tensor[self.start : self.stop]
