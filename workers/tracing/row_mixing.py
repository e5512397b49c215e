"""Whether a row's output depends on the other rows of its batch.

Packing puts rows of many jobs into one batch. This is right only for models that compute each row independently. The
test runs random rows forward and backward: alone, with one other row, with two, with six, and in another order.
"""

import torch
from torch import nn

from workers.tracing.closeness import distance, largest, norm, norm_distance
from workers.tracing.float64_copy import as_float64, in_float64
from workers.tracing.forward_backward import OutputsAndGradients, forward_backward
from workers.tracing.random_rows import batches
from workers.tracing.samples import Tensors, is_large, stacked

Tolerances = dict[torch.dtype, float]

# Relative to the largest output.
OUTPUT_TOLERANCE: Tolerances = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
# Relative to the largest gradient, in the L2 norm. In float32 the gate of a ReLU falls either way within rounding,
# which moves a gradient by a thousandth.
GRADIENT_TOLERANCE: Tolerances = {torch.float64: 1e-7, torch.float32: 1e-3, torch.bfloat16: 0.2, torch.float16: 0.1}
# A comparison of large rows in float64 takes seconds, so float32 has to decide.
LARGE_GRADIENT_TOLERANCE: Tolerances = GRADIENT_TOLERANCE | {torch.float32: 2e-2}
# Of outputs and gradients that differ in float32 and are compared again in float64.
FLOAT64_TOLERANCE: Tolerances = {torch.float64: 1e-7}
LARGEST_BATCH_OF_LARGE_GRADIENTS = 3  # rows


class RowCountError(ValueError):
    """The outputs do not have one row for each row of the batch."""


def rows_mix(module: nn.Module, draws: list[list[Tensors]], attributed: int) -> str | None:
    """Why rows cannot share a batch; None where they can, as far as the draws show.

    Args:
        draws: lists of single rows, (1, …) each, that the module accepts.
        attributed: number of leading tensors that get gradients.
    """
    first = _gradient_pass(module, draws[0][0], attributed)
    if first is None:
        attributed = 0
    reason, is_rounding_possible = _mixing(module, draws, attributed, first=first)
    if reason is None or not is_rounding_possible:
        return reason
    exact = in_float64(module, draws[0][0])
    if exact is None:
        return reason
    return _mixing(exact, [[as_float64(row) for row in rows] for rows in draws], attributed, FLOAT64_TOLERANCE)[0]


def _gradient_pass(module: nn.Module, row: Tensors, attributed: int) -> OutputsAndGradients | None:
    """None where the model raises in a backward pass; methods without gradients work on it nevertheless."""
    try:
        return run_rows(module, row, attributed)
    except Exception:  # the model's own code may raise anything
        return None


def run_rows(module: nn.Module, rows: Tensors, attributed: int) -> OutputsAndGradients:
    """`forward_backward` of a model with one output.

    Raises:
        RowCountError: the model does not return one tensor with a row for each row of the batch.
        Whatever the module raises.
    """
    result = forward_backward(module, rows, attributed)
    count = rows[0].shape[0]
    shapes = [list(output.shape) for output in result.outputs]
    if len(shapes) != 1 or shapes[0][:1] != [count]:
        raise RowCountError(f"for {count} rows it returns {shapes[0] if len(shapes) == 1 else shapes}")
    return result


def _mixing(
    module: nn.Module,
    draws: list[list[Tensors]],
    attributed: int,
    tolerance: Tolerances | None = None,
    first: OutputsAndGradients | None = None,
) -> tuple[str | None, bool]:
    """The first row that depends on others, and whether rounding may explain it. Errors are no matter of rounding.

    Gradients of large rows are compared only in batches of 2 and 3 of the first draw.

    Args:
        first: of the first row alone, where it is known.
    """
    for number, rows in enumerate(draws):
        large = is_large(rows[0])
        alone = {} if first is None or number else {(0, attributed): first}
        for group in batches(rows):
            few = not number and len(group) <= LARGEST_BATCH_OF_LARGE_GRADIENTS
            with_gradients = attributed if few or not large else 0
            for i in group:
                if (i, with_gradients) not in alone:
                    alone[i, with_gradients] = alone.get((i, attributed)) or run_rows(module, rows[i], with_gradients)
            try:
                batch = run_rows(module, stacked([rows[i] for i in group]), with_gradients)
            except RowCountError as error:
                return f"it does not answer one row for each row of a batch: {error}", False
            except Exception as error:  # the model's own code may raise anything
                return f"it raises {type(error).__name__} on {len(group)} rows at once", False
            reason = _difference([alone[i, with_gradients] for i in group], batch, group, tolerance, large=large)
            if reason is not None:
                return reason, True
    return None, True


def _difference(
    alone: list[OutputsAndGradients],
    batch: OutputsAndGradients,
    group: list[int],
    tolerance: Tolerances | None,
    *,
    large: bool,
) -> str | None:
    """What differs, and for which row. `alone` are the results of the group's rows, in the order of the group."""
    (outputs,) = batch.outputs
    singles = [one.outputs[0] for one in alone]
    scale = max(map(largest, singles), default=0.0)
    far = [distance(single, outputs[i : i + 1], scale) for i, single in enumerate(singles)]
    reason = _first_over(far, outputs.dtype, tolerance or OUTPUT_TOLERANCE, group, "the output of")
    if reason is not None:
        return reason
    gradient_tolerance = tolerance or (LARGE_GRADIENT_TOLERANCE if large else GRADIENT_TOLERANCE)
    for number, gradient in enumerate(batch.gradients):
        singles = [one.gradients[number] for one in alone if one.gradients]
        scale = max(map(norm, singles), default=0.0)
        far = [norm_distance(single, gradient[i : i + 1], scale) for i, single in enumerate(singles)]
        reason = _first_over(far, gradient.dtype, gradient_tolerance, group, "the gradient of")
        if reason is not None:
            return reason
    return None


def _first_over(
    distances: list[float], dtype: torch.dtype, tolerance: Tolerances, group: list[int], what: str
) -> str | None:
    allowed = tolerance.get(dtype, tolerance.get(torch.float32, OUTPUT_TOLERANCE[torch.float32]))
    for place, far in enumerate(distances):
        if far > allowed:
            others = f"row {group[1 - place]}" if len(group) == 2 else f"{len(group) - 1} others"
            return f"{what} row {group[place]} depends on {others} in the batch: {far:.2g} relative"
    return None
