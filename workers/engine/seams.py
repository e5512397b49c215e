"""The two seams where a Captum call meets the engine: `forward_func` and `gradient_func`.

Captum's attribution objects are built and called as usual; only the function they run forward, and the one they take
gradients with, hand rows to the engine instead of calling the model.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from schemas.errors import NonFinite
from schemas.jobs import PREDICTED, Targets
from workers.engine.engine import Engine
from workers.engine.finite import all_finite
from workers.engine.task import Task


class Seams:
    """One job's two functions. Rows arrive as Captum expands them; answers go back in the same order."""

    def __init__(self, engine: Engine, task: Task) -> None:
        self._engine = engine
        self._task = task
        self.explained: Targets | None = None  # once they are known, outputs are checked at them
        self._known: list[tuple[tuple[Tensor, ...], Tensor]] = []
        self._gradients: tuple[tuple[Tensor, ...], Tensor | None, tuple[Tensor, ...]] | None = None

    def remember(self, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        """Outputs already computed for these very inputs; asked for again, they cost no pass."""
        self._known.append((inputs, outputs))

    def gradient_at(
        self, inputs: tuple[Tensor, ...], additional_forward_args: tuple[Tensor, ...], targets: Targets | None
    ) -> tuple[Tensor, Targets | None]:
        """All outputs at the inputs, (rows, …), and their targets: those given, or else each row's highest output.

        The gradients come with the same pass and are kept: `gradient`, asked for them, answers from there.
        """
        rows = inputs[0].shape[0]
        wanted = _targets([PREDICTED] if targets is None else targets, rows)
        *gradients, outputs = self._engine.compute(
            self._task, "gradient", inputs, additional_forward_args, wanted, whole=True
        )
        if targets is None and outputs.numel() > rows:
            targets = outputs.argmax(dim=1).tolist()
        self._gradients = (inputs, _targets(targets, rows), tuple(gradients))
        return outputs, targets

    def expect(self, rows: int) -> None:
        """Says that so many rows are still to come at least, for a job whose rows are not known beforehand."""
        self._task.total_rows = max(self._task.total_rows, self._task.rows + rows)

    def forward(self, *args: Tensor) -> Tensor:
        """Captum's `forward_func`: (rows, …) inputs, then extras -> (rows, outputs), without a graph."""
        inputs, additional_forward_args = args[: self._engine.view.inputs], args[self._engine.view.inputs :]
        for known, outputs in self._known:
            if all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(known, inputs, strict=True)):
                return outputs
        outputs = self._engine.compute(self._task, "forward", inputs, additional_forward_args, None)[0]
        if self.explained is not None and not finite_at(outputs, self.explained):
            raise NonFinite("the model's output for a perturbed input is not finite; choose another baseline")
        return outputs

    def gradient(
        self,
        forward_fn: Callable[..., Tensor],
        inputs: tuple[Tensor, ...],
        target_ind: Any = None,
        additional_forward_args: Any = None,
    ) -> tuple[Tensor, ...]:
        """Captum's `gradient_func`: d(target output) / d(input), one tensor per input, of its shape."""
        if self._gradients is not None:
            known, targets, gradients = self._gradients
            wanted = _targets(target_ind, inputs[0].shape[0])
            same = targets is wanted is None or (targets is not None and wanted is not None and targets.equal(wanted))
            if same and all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(known, inputs, strict=True)):
                return gradients
        return self.gradient_and_output(inputs, target_ind, additional_forward_args)[0]

    def gradient_and_output(
        self, inputs: tuple[Tensor, ...], target_ind: Any = None, additional_forward_args: Any = None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What `gradient` gives, and the target outputs (rows,) of the same pass."""
        targets = _targets(target_ind, inputs[0].shape[0])
        additional_forward_args = _tuple(additional_forward_args)
        *gradients, outputs = self._engine.compute(self._task, "gradient", inputs, additional_forward_args, targets)
        if not all_finite(outputs):
            raise NonFinite(
                "the model's output for a row between baseline and input, or near the input, is not finite; "
                "choose another baseline"
            )
        if not all(map(all_finite, gradients)):
            raise NonFinite("the gradient of the model's output is not finite; a method without gradients may do")
        return tuple(gradients), outputs


def finite_at(outputs: Tensor, targets: Targets) -> bool:
    """Whether rows are finite at the targets: each row may belong to any of the examples."""
    if outputs.numel() == len(outputs):
        return all_finite(outputs)
    each: set[tuple[int, ...]] = {(target,) if isinstance(target, int) else tuple(target) for target in targets}
    for place in each:
        values = outputs
        for index in place:
            values = values[:, index]
        if not all_finite(values):
            return False
    return True


def _tuple(additional_forward_args: Any) -> tuple[Tensor, ...]:
    if additional_forward_args is None:
        return ()
    return additional_forward_args if isinstance(additional_forward_args, tuple) else (additional_forward_args,)


def _targets(target: Any, rows: int) -> Tensor | None:
    """Captum's target as (rows,) int64 indices, or (rows, dimensions) places: one for all rows, or one per row."""
    if target is None:
        return None
    indices = torch.as_tensor([target] if isinstance(target, tuple) else target, dtype=torch.int64).cpu()
    if indices.dim() == 0:
        indices = indices.unsqueeze(0)
    return indices.expand(rows, *indices.shape[1:]) if len(indices) == 1 else indices
