"""Captum's Integrated Gradients, whose rows are made by three operations instead of three for each step."""

from typing import Any

import captum.attr as captum
import torch
from captum._utils.common import _expand_additional_forward_args, _expand_target
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor

from workers.methods.explain_inputs import Tensors

EXACT = {torch.float32, torch.float64}  # in which a tensor of alphas multiplies as a number of Python does


class PathIntegral(captum.IntegratedGradients):  # type: ignore[misc]
    """Sundararajan, Taly and Yan (2017), equal to Captum's own to the last bit.

    Captum makes each step's rows by themselves and then copies all of them. That takes as long as everything else
    that a job of a cheap model does in its thread, which lets other threads in at each operation.
    """

    def _attribute(
        self,
        inputs: Tensors,
        baselines: Any,
        target: Any = None,
        additional_forward_args: Any = None,
        n_steps: int = 50,
        method: str = "gausslegendre",
        step_sizes_and_alphas: tuple[list[float], list[float]] | None = None,
    ) -> Tensors:
        """The weighted sum of gradients, (examples, …) each, times input - baseline where Captum multiplies.

        Args:
            inputs, baselines: (examples, …) each; a baseline may also have one row, or be a number.
            n_steps: of this call, which may be a part of the path.
            step_sizes_and_alphas: of these steps; None: of all steps of `method`.
        """
        if step_sizes_and_alphas is None:
            step_sizes, alphas = (builder(n_steps) for builder in approximation_parameters(method))
        else:
            step_sizes, alphas = step_sizes_and_alphas
        differences = tuple(i - b for i, b in zip(inputs, baselines, strict=True))
        gradients: Tensors = self.gradient_func(
            forward_fn=self.forward_func,
            inputs=tuple(path_rows(b, d, alphas) for b, d in zip(baselines, differences, strict=True)),
            target_ind=_expand_target(target, n_steps),
            additional_forward_args=_expanded(additional_forward_args, n_steps),
        )
        weights = torch.tensor(step_sizes).float().view(n_steps, 1)  # as in Captum, whatever the type of the gradients
        sums = tuple(
            (g.contiguous().view(n_steps, -1) * weights.to(g.device)).view(n_steps, -1, *g.shape[1:]).sum(dim=0)
            for g in gradients
        )
        if not self.multiplies_by_inputs:
            return sums
        return tuple(total * difference for total, difference in zip(sums, differences, strict=True))


def path_rows(baseline: Any, difference: Tensor, alphas: list[float]) -> Tensor:
    """baseline + alpha x difference of all alphas, (steps x examples, …), the examples of one step together.

    Args:
        baseline: (examples, …) or (1, …), or a number.
        difference: (examples, …), input - baseline.
    """
    if difference.dtype not in EXACT:
        return torch.cat([baseline + alpha * difference for alpha in alphas])
    at = torch.tensor(alphas, dtype=difference.dtype, device=difference.device)
    rows = at.view(-1, *[1] * difference.dim()) * difference  # (steps, examples, …)
    return rows.add_(baseline).reshape(-1, *difference.shape[1:])


def _expanded(additional_forward_args: Any, n_steps: int) -> Any:
    """(examples, …) each to (steps x examples, …)."""
    if additional_forward_args is None:
        return None
    as_tuple = additional_forward_args if isinstance(additional_forward_args, tuple) else (additional_forward_args,)
    return _expand_additional_forward_args(as_tuple, n_steps)
