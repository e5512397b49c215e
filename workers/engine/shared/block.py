"""Rows that a job hands to the engine, and what it gets back."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from schemas.errors import JobError
from schemas.methods import BackwardRule
from workers.engine.work import Pending, Tensors

PassKind = Literal["forward", "gradient"]


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A backward rule that takes the place of the gradient in a pass.

    Attributes:
        name: of the rule module.
        eps: of the rescale rule: where values differ by less, the gradient is taken.
    """

    name: BackwardRule
    eps: float = 0.0


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
        rule: by which gradients are computed; None: they are the true ones.
        baselines: (rows, …) each, for a rule that compares each row with a baseline. Both go through the model in one
            pass, as two rows of it.
        rows_a_place: rows of the model that take one of the places of a pass; see `places`.
    """

    kind: PassKind
    inputs: Tensors
    additional_forward_args: Tensors
    targets: Tensor | None
    all_outputs: bool = False
    rule: AppliedRule | None = None
    baselines: Tensors | None = None
    rows_a_place: int = 1
    number: int = field(default=-1, init=False)  # given by the lane

    @property
    def size(self) -> int:
        return int(self.inputs[0].shape[0])

    @property
    def rows_each(self) -> int:
        """Rows of the model that one row of the block takes: two where it has a baseline."""
        return 1 if self.baselines is None else 2

    def places(self, size: int) -> int:
        """The places that `size` rows of the block take in a pass, which has as many as the engine's batch size.

        A row with a gradient takes one, and a row with its baseline two. Rows without gradients take half of the time
        and less memory, so several may share a place.
        """
        return -(-size * self.rows_each // self.rows_a_place)

    def fitting(self, places: int) -> int:
        """Rows of the block that so many places hold, at least one. A single place holds a single row: where passes
        may have no other, several rows have failed together."""
        return max(1, places * self.rows_a_place // self.rows_each) if places > 1 else 1

    def accept(self, start: int, outputs: Tensors) -> JobError | None:
        error = super().accept(start, outputs)
        if error is None:
            self.task.rows += outputs[0].shape[0] * self.rows_each
            self.task.passes += 1
        return error


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `stop` (exclusive) of a block, in a pass."""

    block: Block
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Rows of the block."""
        return self.stop - self.start

    @property
    def rows(self) -> int:
        """Rows of the model."""
        return self.size * self.block.rows_each

    def of(self, tensor: Tensor) -> Tensor:
        """The rows of the part, of a tensor with all rows of the block."""
        return tensor[self.start : self.stop]
