"""Elements of an input that move the output and yet have no gradient, because the model makes an index of them."""

import torch
from torch import nn

from workers.tracing.draws import Tensors, stacked
from workers.tracing.rows import row_answer

MOST_ELEMENTS = 256  # of one row; larger inputs are not examined
FEWEST_ROWS = 3


def index_columns(module: nn.Module, rows: list[Tensors], attributed: int) -> list[tuple[int, int]]:
    """(input, element) pairs whose gradient is zero in every row while another row's value changes the output.

    Elements are counted in row-major order. Rounding and conversion to an integer have a gradient of zero, so gradient
    methods say that such an element contributes nothing.

    Args:
        rows: single rows that the module takes, (1, …) each; the module answers them independently of each other.
        attributed: as many of the first tensors get gradients.
    """
    floats = [i for i in range(attributed) if rows and rows[0][i].is_floating_point()]
    if len(rows) < FEWEST_ROWS or sum(rows[0][i].numel() for i in floats) > MOST_ELEMENTS:
        return []
    batch = stacked(rows)
    try:
        answer = row_answer(module, batch, attributed)
    except Exception:  # a model without a gradient pass
        return []
    found: list[tuple[int, int]] = []
    for i, gradient in zip(floats, answer.gradients, strict=False):
        flat = (gradient.flatten(1) == 0).all(dim=0).nonzero().flatten().tolist()
        found += [(i, element) for element in flat if _moves(module, batch, i, element, answer.outputs)]
    return found


def _moves(module: nn.Module, batch: Tensors, i: int, element: int, outputs: torch.Tensor) -> bool:
    """True where the outputs change when each row takes that element from the next row."""
    changed = batch[i].clone()
    flat = changed.view(len(changed), -1)
    flat[:, element] = flat[:, element].roll(1)
    try:
        with torch.no_grad():
            other = module(*(tensor.clone() for tensor in (*batch[:i], changed, *batch[i + 1 :])))
    except Exception:  # the model's own code may raise anything
        return False
    return bool((other - outputs).abs().max() > 1e-5 * outputs.abs().max())
