"""Builds a model from its folder. The folder is the operator's: its code is run, a client can never name one."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from workers.config import ModelConfig, ModelConfigError, inside


def build(config: ModelConfig, folder: Path) -> nn.Module:
    """The module on the CPU, in eval mode, weights loaded and frozen.

    Raises:
        ModelConfigError: the factory or the weights are not as described.
        Whatever the factory raises.
    """
    module = _factory(config.factory, folder)()
    if not isinstance(module, nn.Module):
        raise ModelConfigError(f"factory: {config.factory!r} returned {type(module).__name__}, not an nn.Module")
    if config.weights is not None:
        _load_weights(module, inside(folder, config.weights))
    if config.input.dtype == "float64":
        module = module.double()
    return module.eval().requires_grad_(False)


def read_background(config: ModelConfig, folder: Path, shapes: list[list[int]]) -> tuple[Tensor, ...] | None:
    """The model's background set, (rows, …) in model space for each input.

    The file holds one tensor under any name, or for a model of several inputs `input.0`, `input.1`, ….

    Raises:
        ModelConfigError: the file is missing, or does not hold as many rows of each input's shape.
    """
    if config.explain.background is None:
        return None
    tensors = _read_tensors(inside(folder, config.explain.background))
    names = [f"input.{index}" for index in range(len(shapes))] if len(shapes) > 1 else list(tensors)
    if len(tensors) != len(shapes) or set(names) != set(tensors):
        wanted = " and ".join(names) if len(shapes) > 1 else "exactly one tensor"
        raise ModelConfigError(f"explain.background: the file must hold {wanted}")
    background = tuple(tensors[name] for name in names)
    for tensor, shape in zip(background, shapes, strict=True):
        if list(tensor.shape) != [background[0].shape[0], *shape]:
            raise ModelConfigError(f"explain.background: rows are not of shape {shape}, or not as many for each input")
    return background


def _factory(name: str, folder: Path) -> Callable[[], Any]:
    source, colon, attribute = name.rpartition(":")
    if not colon:
        raise ModelConfigError(f"factory: {name!r} is not 'file.py:callable' or 'package.module:callable'")
    if source.endswith(".py"):
        path = inside(folder, source)
        spec = importlib.util.spec_from_file_location(f"_model_{folder.name.replace('-', '_')}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ModelConfigError(f"factory: {source!r} is not in the model's folder")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(source)
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise ModelConfigError(f"factory: {source!r} has no callable {attribute!r}")
    built: Callable[[], Any] = factory
    return built


def _load_weights(module: nn.Module, path: Path) -> None:
    """Every tensor of the file must have its place in the module; what the factory loaded itself may be missing."""
    state = _read_tensors(path)
    unexpected = module.load_state_dict(state, strict=False).unexpected_keys
    if unexpected:
        raise ModelConfigError(f"weights: the model has no {unexpected[0]!r}")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ModelConfigError(f"{path.name} is not in the model's folder")
    if path.suffix == ".safetensors":
        state: dict[str, Tensor] = load_file(path)
        return state
    state = torch.load(path, weights_only=True, map_location="cpu")
    return state
