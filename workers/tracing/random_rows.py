"""Random rows that a model accepts, for the tests that are made of it at load."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors, cloned, is_large
from workers.tracing.tuning import (
    ATTEMPTS_PER_ROW,
    LARGE_ROW_ELEMENTS,
    LARGE_ROWS_AFTER_FIRST_DRAW,
    RANDOM_ROWS,
    VALUE_SCALES,
)


@dataclass(frozen=True, slots=True)
class RowKind:
    """How one tensor of a model's input is drawn.

    Attributes:
        shape: of one row, without the batch dimension.
        vocabulary: ids are drawn from 0 up to, but not including, this number; None: unknown, ids are 0 or 1.
        pad: the id that fills the end of some rows; None: no row is padded.
        constant: the value of every element; None: random values.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    vocabulary: int | None = None
    pad: int | None = None
    constant: int | None = None


def draw_rows(
    kinds: list[RowKind], module: nn.Module, device: torch.device, number: int, most: int = RANDOM_ROWS
) -> list[Tensors]:
    """Draws at most `most` single rows that the module accepts; the same at every call.

    Floating-point values are normal, with the standard deviation that belongs to the draw. A model may refuse negative
    values, for example because it uses them as indices. Then values are uniform in [0, 1), and if that fails too, one
    row of ones is tried.

    Args:
        number: of the draw; it sets the seed and the standard deviation.

    Returns:
        Rows of shape (1, …) for each tensor; none if the module accepts none.
    """
    generator = torch.Generator().manual_seed(number)
    scale = VALUE_SCALES[number % len(VALUE_SCALES)]
    wanted = min(most, LARGE_ROWS_AFTER_FIRST_DRAW if number and are_large(kinds) else RANDOM_ROWS)
    rows: list[Tensors] = []
    for form in ("normal", "uniform", "ones"):
        for _ in range(RANDOM_ROWS * ATTEMPTS_PER_ROW if form != "ones" else 1):
            row = tuple(_drawn(kind, generator, form, scale).to(device) for kind in kinds)
            if _is_accepted(module, row):
                rows.append(row)
            if len(rows) == wanted:
                return rows
        if rows:
            return rows
    return rows


def are_large(kinds: list[RowKind]) -> bool:
    """As `workers.tracing.samples.is_large`, of rows of these kinds."""
    return sum(prod(kind.shape) for kind in kinds) >= LARGE_ROW_ELEMENTS


def batches(rows: list[Tensors]) -> Iterator[list[int]]:
    """Yields indices of rows that run as one batch: batches of 2, 3 and all rows, each row at several positions."""
    count = len(rows)
    groups = [[0, 1], [2, 1, 0], list(range(count)), list(reversed(range(count)))]
    if is_large(rows[0]):
        groups = groups[:3] if count == RANDOM_ROWS else groups[1:2]
    for group in groups:
        if max(group) < count and len(set(group)) > 1:
            yield group


def _is_accepted(module: nn.Module, row: Tensors) -> bool:
    try:
        with torch.no_grad():
            module(*cloned(row))
    except Exception:  # the model's own code may raise anything
        return False
    return True


def _drawn(kind: RowKind, generator: torch.Generator, form: str, scale: float) -> Tensor:
    """One tensor of one row, (1, …)."""
    shape = (1, *kind.shape)
    if kind.constant is not None:
        return torch.full(shape, kind.constant, dtype=kind.dtype)
    if form == "ones":
        return torch.ones(shape, dtype=kind.dtype)
    if kind.dtype.is_floating_point:
        if form == "normal":
            return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(kind.dtype)
        return torch.rand(shape, generator=generator, dtype=torch.float64).to(kind.dtype)
    ids = torch.randint(0, kind.vocabulary or 2, shape, generator=generator)
    if ids.dim() > 1:
        ids[..., 0] = ids[..., 0].clamp(min=1)  # a mask of only zeros would hide the whole row
    if kind.pad is not None and ids.dim() == 2 and ids.shape[1] > 1:
        length = int(torch.randint(1, ids.shape[1] + 1, (), generator=generator))
        ids[:, length:] = kind.pad
    return ids.to(kind.dtype)
