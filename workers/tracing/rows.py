"""Whether a row's answer depends on the rows beside it.

Packing puts rows of many jobs into one batch. It is right only for models that answer each row by itself, so this is
tested at load, on random rows, forward and backward: alone, beside one other, beside two, beside six, and in another
order.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.tracing.draws import Tensors, batches, is_large, stacked
from workers.tracing.float64_copy import as_float64, in_float64

# Relative to the largest output.
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
# Relative to the largest gradient, in the L2 norm. In float32 the gate of a ReLU falls either way within rounding,
# which moves a gradient by a thousandth.
GRADIENTS = {torch.float64: 1e-7, torch.float32: 1e-3, torch.bfloat16: 0.2, torch.float16: 0.1}
GRADIENTS_OF_LARGE = GRADIENTS | {torch.float32: 2e-2}  # their float64 costs seconds
EXACT = {torch.float64: 1e-7}  # where float32 differs by more than its rounding, float64 tells why


Allowed = dict[torch.dtype, float]


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """Outputs (rows, …) and gradients of a fixed weighting of them, one per floating-point input, (rows, …)."""

    outputs: Tensor
    gradients: Tensors


def rows_mix(module: nn.Module, draws: list[list[Tensors]], attributed: int) -> str | None:
    """Why rows cannot share a batch; None where they can, as far as the draws show.

    Args:
        draws: lists of single rows, (1, …) each, as the module takes them.
        attributed: as many of the first tensors get gradients.
    """
    if not _has_gradient_pass(module, draws[0][0], attributed):
        attributed = 0
    reason = _mixed(module, draws, attributed, TOLERANCE)
    if reason is None or "raises" in reason:
        return reason
    # In float64 the gate of a ReLU is not within rounding on random rows.
    exact = in_float64(module, draws[0][0])
    if exact is None:
        return reason
    return _mixed(exact, [[as_float64(row) for row in rows] for rows in draws], attributed, EXACT)


def _has_gradient_pass(module: nn.Module, row: Tensors, attributed: int) -> bool:
    """False where the model raises when gradients are wanted; methods without gradients work on it all the same."""
    try:
        row_answer(module, row, attributed)
    except Exception:  # the model's own code may raise anything
        return False
    return True


def row_answer(module: nn.Module, rows: Tensors, attributed: int) -> RowAnswer:
    """Runs the module on a batch, forward and backward.

    Raises:
        ValueError: the outputs do not have one row for each row of the batch.
        Whatever the module raises.
    """
    leaves = [t.detach().clone().requires_grad_(i < attributed and t.is_floating_point()) for i, t in enumerate(rows)]
    with torch.set_grad_enabled(any(leaf.requires_grad for leaf in leaves)):
        out = module(*(leaf.clone() for leaf in leaves))
        count = rows[0].shape[0]
        if not isinstance(out, Tensor) or out.shape[:1] != (count,):
            told = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise ValueError(f"for {count} rows it answers {told}")
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        gradients: Tensors = ()
        if out.requires_grad and wanted:
            generator = torch.Generator().manual_seed(0)
            weights = torch.randn(out.shape[1:], generator=generator, dtype=torch.float64).to(out.device, out.dtype)
            found = torch.autograd.grad((out * weights).sum(), wanted, allow_unused=True, materialize_grads=True)
            gradients = tuple(gradient.detach() for gradient in found)
    return RowAnswer(out.detach(), gradients)


def _mixed(module: nn.Module, draws: list[list[Tensors]], attributed: int, allowed: Allowed) -> str | None:
    """Of large rows, gradients are compared in batches of 2 and 3 of the first draw alone."""
    for number, rows in enumerate(draws):
        large = is_large(rows[0])
        alone: dict[tuple[int, int], RowAnswer] = {}
        for group in batches(rows):
            wanted = 0 if large and (number or len(group) > 3) else attributed
            for i in group:
                if (i, wanted) not in alone:
                    alone[i, wanted] = alone.get((i, attributed)) or row_answer(module, rows[i], wanted)
            try:
                beside = row_answer(module, stacked([rows[i] for i in group]), wanted)
            except Exception as error:  # the model's own code may raise anything
                if isinstance(error, ValueError) and str(error).startswith("for "):
                    return f"it does not answer one row for each row of a batch: {error}"
                return f"it raises {type(error).__name__} on {len(group)} rows at once"
            reason = _compared([alone[i, wanted] for i in group], beside, group, allowed, large=large)
            if reason is not None:
                return reason
    return None


def _compared(
    alone: list[RowAnswer], beside: RowAnswer, group: list[int], allowed: Allowed, *, large: bool
) -> str | None:
    """What differs, of which row; `alone` are the answers of the group's rows in its order."""
    gradients = allowed if allowed is EXACT else GRADIENTS_OF_LARGE if large else GRADIENTS
    columns = [("answers", beside.outputs, [one.outputs for one in alone], largest, distance, allowed)]
    columns += [
        (
            "has its gradient",
            gradient,
            [one.gradients[i] for one in alone if one.gradients],
            norm,
            norm_distance,
            gradients,
        )
        for i, gradient in enumerate(beside.gradients)
    ]
    for what, whole, singles, size, far_from, most in columns:
        scale = max(map(size, singles), default=0.0)
        for place, single in enumerate(singles):
            far = far_from(single, whole[place : place + 1], scale)
            if far > most.get(whole.dtype, most.get(torch.float32, 1e-4)):
                others = f"row {group[1 - place]}" if len(group) == 2 else f"{len(group) - 1} others"
                return f"row {group[place]} {what} otherwise beside {others}: {far:.2g} relative"
    return None


def norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(torch.nan_to_num(tensor.double(), posinf=0.0, neginf=0.0)))


def norm_distance(one: Tensor, other: Tensor, scale: float) -> float:
    """The L2 norm of the difference, relative to `scale`; infinite as in `distance`."""
    if distance(one, other, 1.0) == float("inf"):
        return float("inf")
    return norm(one.double() - other.double()) / max(scale, 1e-300)


def largest(tensor: Tensor) -> float:
    """The largest finite absolute value."""
    return float(torch.nan_to_num(tensor.double(), posinf=0.0, neginf=0.0).abs().max()) if tensor.numel() else 0.0


def distance(one: Tensor, other: Tensor, scale: float) -> float:
    """The largest difference, relative to `scale`; infinite where shapes differ or only one is finite."""
    if one.shape != other.shape:
        return float("inf")
    a, b = one.double(), other.double()
    same = (a == b) | (a.isnan() & b.isnan())
    if bool(same.all()):
        return 0.0
    far = float((a - b)[~same].abs().max())
    return float("inf") if math.isnan(far) else far / max(scale, 1e-300)
