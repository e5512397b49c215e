"""The two seams where a Captum call hands rows to the engine: `forward_func` and `gradient_func`.

Captum's attribution objects are built and called as usual. Only the function that they call as the model, and the one
that computes gradients, hand rows to the engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from schemas.errors import NonFinite
from schemas.jobs import PREDICTED, Targets
from workers.engine.engine import Engine
from workers.engine.numerics import all_finite
from workers.engine.shared.block import AppliedRule
from workers.engine.targets import finite_at, target_indices
from workers.engine.task import Task
from workers.engine.work import Tensors


@dataclass(frozen=True, slots=True)
class _Gradients:
    """Gradients that are computed already, and what they were computed for."""

    inputs: Tensors
    targets: Tensor | None
    gradients: Tensors

    def at(self, inputs: Tensors, targets: Tensor | None) -> bool:
        """True if these inputs and targets are the same."""
        if self.targets is None or targets is None:
            return self.targets is targets and _equal(self.inputs, inputs)
        return self.targets.equal(targets) and _equal(self.inputs, inputs)


class Seams:
    """One job's two functions. Rows come as Captum expands them; outputs go back in the same order.

    Attributes:
        explained: the targets, once they are determined; outputs are then checked at them.
        engine, task: of the job.
    """

    def __init__(self, engine: Engine, task: Task) -> None:
        self.explained: Targets | None = None
        self.engine = engine
        self.task = task
        self._outputs: list[tuple[Tensors, Tensor]] = []  # that are computed already, with their inputs
        self._gradients: _Gradients | None = None

    def remember(self, inputs: Tensors, outputs: Tensor) -> None:
        """Keeps outputs, so that `forward` of these inputs costs no pass."""
        self._outputs.append((inputs, outputs))

    def gradient_at(
        self, inputs: Tensors, additional_forward_args: Tensors, targets: Targets | None
    ) -> tuple[Tensor, Targets | None]:
        """Computes outputs and gradients at the inputs in one pass. Keeps the gradients for `gradient`.

        Returns:
            All outputs, (rows, …), and the targets; if none were given, each row's highest output.
        """
        rows = inputs[0].shape[0]
        indices = target_indices([PREDICTED] if targets is None else targets, rows)
        *gradients, outputs = self.engine.compute(
            self.task, "gradient", inputs, additional_forward_args, indices, all_outputs=True
        )
        if targets is None and outputs.numel() > rows:
            targets = outputs.argmax(dim=1).tolist()
        self._gradients = _Gradients(inputs, target_indices(targets, rows), tuple(gradients))
        return outputs, targets

    def expect(self, rows: int) -> None:
        """Announces at least so many rows to come, for a job whose rows are not known before it runs."""
        self.task.total_rows = max(self.task.total_rows, self.task.rows + rows)

    def forward(self, *args: Tensor) -> Tensor:
        """Captum's `forward_func`: inputs, then additional forward args, (rows, …) each -> (rows, …), without a graph.

        Raises:
            NonFinite: an explained output is NaN or infinite.
        """
        count = self.engine.view.input_count
        inputs, additional_forward_args = args[:count], args[count:]
        for computed, outputs in self._outputs:
            if _equal(computed, inputs):
                return outputs
        outputs = self.engine.compute(self.task, "forward", inputs, additional_forward_args, None)[0]
        if self.explained is not None and not finite_at(outputs, self.explained):
            raise NonFinite("the model's output for a perturbed input is not finite; choose another baseline")
        return outputs

    def gradient(
        self,
        forward_fn: Callable[..., Tensor],
        inputs: Tensors,
        target_ind: Any = None,
        additional_forward_args: Any = None,
    ) -> Tensors:
        """Captum's `gradient_func`: d(target output) / d(input), one tensor per input, of its shape.

        Raises:
            NonFinite: a target output or a gradient is NaN or infinite.
        """
        computed = self._gradients
        if computed is not None and computed.at(inputs, target_indices(target_ind, inputs[0].shape[0])):
            return computed.gradients
        return self.gradient_and_output(inputs, target_ind, additional_forward_args)[0]

    def gradient_and_output(
        self, inputs: Tensors, target_ind: Any = None, additional_forward_args: Any = None
    ) -> tuple[Tensors, Tensor]:
        """The gradients as `gradient` returns them, and the target outputs, (rows,), of the same pass.

        Raises:
            NonFinite: a target output or a gradient is NaN or infinite.
        """
        return self._gradients_of(inputs, target_ind, _as_tuple(additional_forward_args))

    def under_rule(
        self,
        rule: AppliedRule,
        inputs: Tensors,
        target_ind: Any,
        additional_forward_args: Tensors,
        baselines: Tensors | None = None,
    ) -> Tensors:
        """What a backward rule gives in the place of the gradients, one tensor per input, of its shape.

        Args:
            rule: the view of the engine has its module.
            inputs, additional_forward_args: (rows, …) each.
            target_ind: Captum's target.
            baselines: (rows, …) each, for the rescale rule; the results are then DeepLIFT's multipliers.

        Raises:
            NonFinite: as `gradient`.
        """
        return self._gradients_of(inputs, target_ind, additional_forward_args, rule, baselines)[0]

    def _gradients_of(
        self,
        inputs: Tensors,
        target_ind: Any,
        more: Tensors,
        rule: AppliedRule | None = None,
        baselines: Tensors | None = None,
    ) -> tuple[Tensors, Tensor]:
        targets = target_indices(target_ind, inputs[0].shape[0])
        *gradients, outputs = self.engine.compute(
            self.task, "gradient", inputs, more, targets, rule=rule, baselines=baselines
        )
        if not all_finite(outputs):
            raise NonFinite(
                "the model's output for a row between baseline and input, or near the input, is not finite; "
                "choose another baseline"
            )
        if not all(map(all_finite, gradients)):
            raise NonFinite("the gradient of the model's output is not finite; a method without gradients may do")
        return tuple(gradients), outputs


def _equal(tensors: Tensors, others: Tensors) -> bool:
    return all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(tensors, others, strict=True))


def _as_tuple(additional_forward_args: Any) -> Tensors:
    """Captum passes None, one tensor, or a tuple of them."""
    if additional_forward_args is None:
        return ()
    return additional_forward_args if isinstance(additional_forward_args, tuple) else (additional_forward_args,)
