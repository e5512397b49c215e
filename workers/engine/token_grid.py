"""Image transformers: tokens as maps over the picture."""

from dataclasses import dataclass

from torch import Tensor

MAX_PREFIX = 8  # class, distillation and register tokens, which stand before those of the picture


@dataclass(frozen=True, slots=True)
class TokenGrid:
    """A model's grids of tokens, (rows, columns) each, the finest first; row by row, behind any prefix.

    `prefixed` says that other tokens may stand before those of the picture; hierarchical models have none.
    """

    grids: tuple[tuple[int, int], ...]
    prefixed: bool = True

    def of(self, tokens: int) -> tuple[int, int] | None:
        """The grid that so many tokens are; None where they are none."""
        most = MAX_PREFIX if self.prefixed else 0
        return next(((rows, cols) for rows, cols in self.grids if 0 <= tokens - rows * cols <= most), None)

    def as_map(self, tensor: Tensor) -> Tensor:
        """(examples, tokens, C) to (examples, C, rows, columns), without the prefix; anything else as it is."""
        grid = self.of(tensor.shape[1]) if tensor.dim() == 3 else None
        if grid is None:
            return tensor
        tokens = tensor[:, tensor.shape[1] - grid[0] * grid[1] :]
        return tokens.transpose(1, 2).reshape(len(tensor), tensor.shape[2], *grid)
