"""Image transformers: where their tokens lie on the picture."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from workers.engine.view import TokenGrid
from workers.repository.model_toml import ModelConfig, ModelConfigError, shapes

MAX_STAGES = 8  # of a hierarchical transformer, each with half the rows and columns of the one before


def picture_grid(config: ModelConfig, module: nn.Module) -> TokenGrid | None:
    """The grid of a model that takes pictures.

    Raises:
        ModelConfigError: a grid is told for a model that takes none.
    """
    shape = shapes(config.input)[:1]
    if len(shapes(config.input)) != 1 or len(shape[0]) != 3:
        if config.explain.token_grid is not None:
            raise ModelConfigError("explain.token_grid: the model takes no single picture (channels, height, width)")
        return None
    return find_grid(module, (shape[0][1], shape[0][2]), config.explain.token_grid)


def find_grid(module: nn.Module, size: tuple[int, int], told: list[int] | None) -> TokenGrid | None:
    """The grid that the operator tells, or else the model's own configuration; None where neither does.

    `size` is the height and width of the pictures, in pixels. Read are transformers' `config.patch_size`, timm's
    `patch_embed.grid_size` and torchvision's `patch_size`.
    """
    if told is not None:
        return TokenGrid(((told[0], told[1]),))
    config = getattr(module, "config", None)
    own = getattr(getattr(module, "patch_embed", None), "grid_size", None)
    if own is not None:
        return TokenGrid(((int(own[0]), int(own[1])),))
    patch = _pair(getattr(config, "patch_size", None)) or _pair(getattr(module, "patch_size", None))
    if patch is None:
        return None
    finest = (size[0] // patch[0], size[1] // patch[1])
    if getattr(config, "depths", None) is None:
        return TokenGrid((finest,))
    return TokenGrid(tuple(_halved(finest)), prefixed=False)


def _halved(grid: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for _ in range(MAX_STAGES):
        yield grid
        grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)


def _pair(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int):
        return value, value
    if isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(side, int) for side in value):
        return int(value[0]), int(value[1])
    return None
