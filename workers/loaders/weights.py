"""Files of tensors in a model's folder: safetensors, or torch's own read with `weights_only`."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from workers.config import ModelConfig, ModelConfigError, inside


def load_weights(module: nn.Module, path: Path) -> None:
    """Fills the module from a file.

    Every tensor of the file must have its place in the module; what the module holds already may be missing.

    Raises:
        ModelConfigError: no such file, or a tensor that the module has no place for.
    """
    state = read_tensors(path)
    unexpected = module.load_state_dict(state, strict=False).unexpected_keys
    if unexpected:
        raise ModelConfigError(f"weights: the model has no {unexpected[0]!r}")


def read_background(config: ModelConfig, folder: Path, shapes: list[list[int]]) -> tuple[Tensor, ...] | None:
    """The model's background set, (rows, …) in model space for each input.

    The file holds one tensor under any name, or for a model of several inputs `input.0`, `input.1`, ….

    Raises:
        ModelConfigError: the file is missing, or does not hold as many rows of each input's shape.
    """
    if config.explain.background is None:
        return None
    tensors = read_tensors(inside(folder, config.explain.background))
    names = [f"input.{index}" for index in range(len(shapes))] if len(shapes) > 1 else list(tensors)
    if len(tensors) != len(shapes) or set(names) != set(tensors):
        wanted = " and ".join(names) if len(shapes) > 1 else "exactly one tensor"
        raise ModelConfigError(f"explain.background: the file must hold {wanted}")
    background = tuple(tensors[name] for name in names)
    for tensor, shape in zip(background, shapes, strict=True):
        if list(tensor.shape) != [background[0].shape[0], *shape]:
            raise ModelConfigError(f"explain.background: rows are not of shape {shape}, or not as many for each input")
    return background


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by name.

    Raises:
        ModelConfigError: no such file.
    """
    if not path.is_file():
        raise ModelConfigError(f"{path.name} is not in the model's folder")
    if path.suffix == ".safetensors":
        state: dict[str, Tensor] = load_file(path)
        return state
    state = torch.load(path, weights_only=True, map_location="cpu")
    return state
