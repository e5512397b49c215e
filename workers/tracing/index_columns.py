"""Finds input elements that the model uses as an index: they change the output, yet have no gradient."""

import torch
from torch import Tensor, nn

from workers.tracing.row_mixing import run_rows
from workers.tracing.samples import Tensors, cloned, stacked
from workers.tracing.tuning import INDEX_SEARCH_ELEMENTS, INDEX_SEARCH_ROWS

CHANGE = 1e-5  # of the largest output; a smaller change is rounding


def index_columns(module: nn.Module, rows: list[Tensors], attributed: int) -> list[tuple[int, int]]:
    """(input, element) pairs whose gradient is zero in every row, while another row's value changes the output.

    Rounding and conversion to an integer have a gradient of zero, so gradient methods attribute nothing to such an
    element. Elements are numbered in row-major order.

    Args:
        rows: single rows, (1, …) each, that the module accepts and computes independently of each other.
        attributed: number of leading tensors that get gradients.
    """
    floating = [i for i in range(attributed) if rows and rows[0][i].is_floating_point()]
    if len(rows) < INDEX_SEARCH_ROWS or sum(rows[0][i].numel() for i in floating) > INDEX_SEARCH_ELEMENTS:
        return []
    batch = stacked(rows)
    try:
        result = run_rows(module, batch, attributed)
    except Exception:  # a model without a backward pass
        return []
    found: list[tuple[int, int]] = []
    for i, gradient in zip(floating, result.gradients, strict=False):
        without_gradient = (gradient.flatten(1) == 0).all(dim=0).nonzero().flatten().tolist()
        found += [
            (i, element)
            for element in without_gradient
            if _changes_output(module, batch, i, element, result.outputs[0])
        ]
    return found


def _changes_output(module: nn.Module, batch: Tensors, i: int, element: int, outputs: Tensor) -> bool:
    """Whether the outputs change when each row takes the element's value from the next row."""
    changed = batch[i].clone()
    flat = changed.view(len(changed), -1)
    flat[:, element] = flat[:, element].roll(1)
    try:
        with torch.no_grad():
            other = module(*cloned((*batch[:i], changed, *batch[i + 1 :])))
    except Exception:  # the model's own code may raise anything
        return False
    return bool((other - outputs).abs().max() > CHANGE * outputs.abs().max())
