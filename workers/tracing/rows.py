"""Whether a row's answer depends on the rows beside it.

Packing puts rows of many jobs into one batch. It is right only for models that answer each row by itself, so this is
tested at load, on random rows, forward and backward: alone, beside one other, beside two, beside six, and in another
order.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.tracing.draws import Tensors, batches, stacked
from workers.tracing.precise import as_float64, in_float64

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
GRADIENT_SLACK = 10.0  # a gradient sums more terms
EXACT = 1e-7  # relative, in float64: where float32 differs by more than its rounding, float64 tells why


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
    reason = _mixed(module, draws, attributed, TOLERANCE, GRADIENT_SLACK)
    if reason is None or "raises" in reason:
        return reason
    # The gate of a ReLU may fall either way within rounding. In float64 that does not happen on random rows.
    exact = in_float64(module, draws[0][0])
    if exact is None:
        return reason
    precise = [[as_float64(row) for row in rows] for rows in draws]
    return _mixed(exact, precise, attributed, {torch.float64: EXACT}, 1.0)


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
    with torch.enable_grad():
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


def _mixed(
    module: nn.Module,
    draws: list[list[Tensors]],
    attributed: int,
    tolerance: dict[torch.dtype, float],
    slack: float,
) -> str | None:
    for rows in draws:
        alone = [row_answer(module, row, attributed) for row in rows]
        for group in batches(rows):
            try:
                beside = row_answer(module, stacked([rows[i] for i in group]), attributed)
            except Exception as error:  # the model's own code may raise anything
                if isinstance(error, ValueError) and str(error).startswith("for "):
                    return f"it does not answer one row for each row of a batch: {error}"
                return f"it raises {type(error).__name__} on {len(group)} rows at once"
            reason = _compared(alone, beside, group, tolerance, slack)
            if reason is not None:
                return reason
    return None


def _compared(
    alone: list[RowAnswer], beside: RowAnswer, group: list[int], tolerance: dict[torch.dtype, float], slack: float
) -> str | None:
    allowed = tolerance.get(beside.outputs.dtype, TOLERANCE[torch.float32])
    for what, whole, singles in _columns(alone, beside, group):
        scale = max((largest(single) for single in singles), default=0.0)
        for place, (number, single) in enumerate(zip(group, singles, strict=True)):
            far = distance(single, whole[place : place + 1], scale)
            if far > allowed * (1.0 if what == "answers" else slack):
                others = f"row {group[1 - place]}" if len(group) == 2 else f"{len(group) - 1} others"
                return f"row {number} {what} otherwise beside {others}: {far:.2g} relative"
    return None


def _columns(alone: list[RowAnswer], beside: RowAnswer, group: list[int]) -> Iterator[tuple[str, Tensor, Tensors]]:
    yield "answers", beside.outputs, tuple(alone[i].outputs for i in group)
    for number, gradient in enumerate(beside.gradients):
        yield "has its gradient", gradient, tuple(alone[i].gradients[number] for i in group)


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
