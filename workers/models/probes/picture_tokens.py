"""Finds where the tokens of an image transformer lie on the picture."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from workers.engine.view import TokenGrid
from workers.repository.model_toml import ModelConfig, ModelConfigError, shapes

_MAX_STAGES = 8  # of a hierarchical transformer; each stage halves rows and columns, and 2^8 exceeds any grid


def picture_grid(config: ModelConfig, module: nn.Module) -> TokenGrid | None:
    """The token grid of a model that takes one picture; None for other models.

    Raises:
        ModelConfigError: the description gives a grid to a model that takes no single picture.
    """
    given = shapes(config.input)
    if len(given) != 1 or len(given[0]) != 3:
        if config.explain.token_grid is not None:
            raise ModelConfigError("explain.token_grid: the model takes no single picture (channels, height, width)")
        return None
    return find_grid(module, (given[0][1], given[0][2]), config.explain.token_grid)


def find_grid(module: nn.Module, size: tuple[int, int], configured: list[int] | None) -> TokenGrid | None:
    """The configured grid, else the one of the model's own configuration; None where there is neither.

    The latter is read from transformers' `config.patch_size`, timm's `patch_embed.grid_size` and torchvision's
    `patch_size`.

    Args:
        module: the model.
        size: height and width of the pictures in pixels.
        configured: rows and columns from `model.toml`.
    """
    if configured is not None:
        return TokenGrid(((configured[0], configured[1]),))
    timm_grid = getattr(getattr(module, "patch_embed", None), "grid_size", None)
    if timm_grid is not None:
        return TokenGrid(((int(timm_grid[0]), int(timm_grid[1])),))
    config = getattr(module, "config", None)
    patch = _pair(getattr(config, "patch_size", None)) or _pair(getattr(module, "patch_size", None))
    if patch is None:
        return None
    finest = (size[0] // patch[0], size[1] // patch[1])
    if getattr(config, "depths", None) is None:
        return TokenGrid((finest,))
    return TokenGrid(tuple(_halved(finest)), prefixed=False)


def _halved(grid: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The grid of each stage of a hierarchical transformer, the finest first."""
    for _ in range(_MAX_STAGES):
        yield grid
        grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)


def _pair(value: Any) -> tuple[int, int] | None:
    """A size as (height, width); None where the value is none."""
    if isinstance(value, int):
        return value, value
    if isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(side, int) for side in value):
        return int(value[0]), int(value[1])
    return None
