"""Random rows of a model's own kind, to test at load what packing assumes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]
ROWS = 7  # of one draw
TRIES = 4  # times as many rows are drawn, for models that refuse some values
SCALES = (1.0, 0.3, 3.0)  # of the draws: decisions lie at other thresholds
LARGE = 4_096  # elements of a row: such rows cost so much that later draws have fewer
ROWS_OF_LARGE = 3
TEXT_TOKENS = 6


@dataclass(frozen=True, slots=True)
class RowKind:
    """How one tensor of a model's input is drawn.

    Attributes:
        shape: of one row.
        vocabulary: ids run from 0 to below it; None: not known, so only 0 and 1 are drawn.
        pad: the id that fills the end of some rows; None: no row is padded.
        constant: every element; None: random.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    vocabulary: int | None = None
    pad: int | None = None
    constant: int | None = None


def draw_rows(kinds: list[RowKind], module: nn.Module, device: torch.device, number: int) -> list[Tensors]:
    """At most `ROWS` different single rows that the module takes, (1, …) each; the same at every call.

    Floating-point values are normal, of the scale that belongs to the draw's `number`. A model may refuse negative
    values (it turns them into indices): then they are uniform in [0, 1), and at last all ones.
    """
    generator = torch.Generator().manual_seed(number)
    scale = SCALES[number % len(SCALES)]
    most = ROWS_OF_LARGE if number and sum(prod(kind.shape) for kind in kinds) >= LARGE else ROWS
    rows: list[Tensors] = []
    for form in ("normal", "uniform", "ones"):
        for _ in range(ROWS * TRIES if form != "ones" else 1):
            row = tuple(_drawn(kind, generator, form, scale).to(device) for kind in kinds)
            if _takes(module, row):
                rows.append(row)
            if len(rows) == most:
                return rows
        if rows:
            return rows
    return rows


def stacked(rows: list[Tensors]) -> Tensors:
    return tuple(torch.cat(column) for column in zip(*rows, strict=True))


def batches(rows: list[Tensors]) -> Iterator[list[int]]:
    """The rows that run together, by number: batches of 2, 3 and 7, and each row in several places."""
    count = len(rows)
    groups = [[0, 1], [2, 1, 0], list(range(count)), list(reversed(range(count)))]
    if is_large(rows[0]):
        groups = groups[:3] if count == ROWS else groups[1:2]
    for group in groups:
        if max(group) < count and len(set(group)) > 1:
            yield group


def is_large(row: Tensors) -> bool:
    return sum(tensor.numel() for tensor in row) >= LARGE


def _takes(module: nn.Module, row: Tensors) -> bool:
    try:
        with torch.no_grad():
            module(*(tensor.clone() for tensor in row))
    except Exception:  # the model's own code may raise anything
        return False
    return True


def _drawn(kind: RowKind, generator: torch.Generator, form: str, scale: float) -> Tensor:
    """One row, (1, …)."""
    shape = (1, *kind.shape)
    if kind.constant is not None:
        return torch.full(shape, kind.constant, dtype=kind.dtype)
    if kind.dtype.is_floating_point:
        if form == "normal":
            return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(kind.dtype)
        if form == "uniform":
            return torch.rand(shape, generator=generator, dtype=torch.float64).to(kind.dtype)
        return torch.ones(shape, dtype=kind.dtype)
    if form == "ones":
        return torch.ones(shape, dtype=kind.dtype)
    ids = torch.randint(0, kind.vocabulary or 2, shape, generator=generator)
    if ids.dim() > 1:
        ids[..., 0] = ids[..., 0].clamp(min=1)  # a mask hides something, but not all
    if kind.pad is not None and ids.dim() == 2 and ids.shape[1] > 1:
        length = int(torch.randint(1, ids.shape[1] + 1, (), generator=generator))
        ids[:, length:] = kind.pad
    return ids.to(kind.dtype)
