"""Rows that a job hands to the engine, and the answer it waits for."""

import threading
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from schemas.errors import JobError, JobFailed
from workers.engine.task import Task

PassKind = Literal["forward", "gradient"]


@dataclass(slots=True, eq=False)
class Block:
    """`rows` model inputs of one job, and what the passes made of them.

    `inputs` and `additional_forward_args` are (rows, …); `targets` is (rows,) or (rows, dimensions) int64, or None. A
    forward block gives one tensor (rows, …). A gradient block gives one tensor per input, of its shape,
    d(target output) / d(input), and after them the target outputs themselves, (rows,), or with `whole` all outputs,
    (rows, …). In a gradient block the target `PREDICTED` stands for a row's own highest output.
    """

    task: Task
    kind: PassKind
    inputs: tuple[Tensor, ...]
    additional_forward_args: tuple[Tensor, ...]
    targets: Tensor | None
    whole: bool = False
    answer: tuple[Tensor, ...] | None = None
    error: JobError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    left: int = 0  # rows without an answer
    number: int = -1  # given by the schedule

    def __post_init__(self) -> None:
        self.left = self.rows

    @property
    def rows(self) -> int:
        return int(self.inputs[0].shape[0])

    def accept(self, start: int, outputs: tuple[Tensor, ...]) -> JobError | None:
        """Stores the answers of rows from `start` on; the last ones complete the block.

        Returns the error of answers that are not of the shape of those before: an engine must not stop over it.
        """
        rows = outputs[0].shape[0]
        if rows == self.rows:
            self.answer = outputs
        else:
            if self.answer is None:
                self.answer = tuple(out.new_empty((self.rows, *out.shape[1:])) for out in outputs)
            for whole, part in zip(self.answer, outputs, strict=True):
                if whole.shape[1:] != part.shape[1:]:
                    told = f"{list(whole.shape[1:])} for some rows and {list(part.shape[1:])} for others"
                    return JobFailed(f"the model's outputs change their shape from pass to pass: {told}")
                whole[start : start + rows] = part
        self.left -= rows
        self.task.rows += rows
        self.task.passes += 1
        return None

    def result(self) -> tuple[Tensor, ...]:
        """The whole answer.

        Raises:
            JobError: what went wrong instead.
        """
        return result_of(self.answer, self.error)


def result_of(answer: tuple[Tensor, ...] | None, error: JobError | None) -> tuple[Tensor, ...]:
    """An answer or its error, once a wait is over."""
    if error is not None:
        raise error
    if answer is None:
        raise RuntimeError("woken without an answer")
    return answer
