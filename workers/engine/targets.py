"""The outputs that are explained, by index or by position."""

from typing import Any

import torch
from torch import Tensor

from schemas.jobs import Targets
from workers.engine.numerics import all_finite


def target_indices(target: Any, rows: int) -> Tensor | None:
    """Captum's target as (rows,) int64 indices, or (rows, dimensions) positions; None stays None.

    Args:
        target: an int, a tuple, a list of them or a tensor: one for all rows, or one per row.
        rows: the number of rows.
    """
    if target is None:
        return None
    if isinstance(target, int):
        return torch.full((rows,), target)
    indices = torch.as_tensor([target] if isinstance(target, tuple) else target, dtype=torch.int64).cpu()
    if indices.dim() == 0:
        indices = indices.unsqueeze(0)
    return indices.expand(rows, *indices.shape[1:]) if len(indices) == 1 else indices


def at_targets(outputs: Tensor, targets: Tensor) -> Tensor:
    """The target outputs, (rows,).

    Args:
        outputs: (rows, outputs), or (rows, classes, …).
        targets: (rows,) int64 indices, or (rows, dimensions) positions.
    """
    if targets.dim() == 1:
        return outputs.gather(1, targets.unsqueeze(1)).squeeze(1)
    return outputs[(torch.arange(len(outputs), device=outputs.device), *targets.unbind(1))]


def finite_at(outputs: Tensor, targets: Targets) -> bool:
    """True if every row is finite at every target: any row may belong to any of the examples.

    Args:
        outputs: (rows, …).
        targets: of the examples.
    """
    if outputs.numel() == len(outputs):
        return all_finite(outputs)
    positions: set[tuple[int, ...]] = {(target,) if isinstance(target, int) else tuple(target) for target in targets}
    by_position = outputs.movedim(0, -1)  # (…, rows)
    return all(all_finite(by_position[position]) for position in positions)
