"""Files of tensors in a model's folder: safetensors, or torch's own read with `weights_only`."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from workers.repository.model_toml import ModelConfig, ModelConfigError, inside

SAVE = "save the state_dict: torch.save(model.state_dict(), path)"


def load_weights(module: nn.Module, path: Path) -> None:
    """Fills the module from a file.

    Every tensor of the file must have its place in the module; what the module holds already may be missing.

    Raises:
        ModelConfigError: no such file, or a tensor that the module has no place for, or one of another shape.
    """
    state = read_tensors(path)
    try:
        unexpected = module.load_state_dict(state, strict=False).unexpected_keys
    except RuntimeError as error:  # shapes that differ: one line for each, behind a heading
        first = str(error).strip().splitlines()[-1].strip()
        raise ModelConfigError(f"weights: they do not fit the model: {first}") from error
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
        ModelConfigError: no such file, or one that holds anything but tensors by name.
    """
    if not path.is_file():
        raise ModelConfigError(f"{path.name} is not in the model's folder")
    if path.suffix == ".safetensors":
        try:
            state: dict[str, Tensor] = load_file(path)
        except SafetensorError as error:
            raise ModelConfigError(f"{path.name} is no safetensors file: {error}") from error
        return state
    return _tensors_only(_read_torch(path), path)


def _read_torch(path: Path) -> Any:
    """torch's own words are not passed on: they advise to switch the check off."""
    if _is_script(path):
        raise ModelConfigError(f"{path.name} is a TorchScript program; {SAVE}, or use loader 'torchscript'")
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (EOFError, KeyError, RuntimeError) as error:  # cut short, or never a file of torch's
        raise ModelConfigError(f"{path.name} is damaged, or was not written by torch.save") from error
    except Exception as error:  # whatever the restricted reader says of objects that are no tensors
        raise ModelConfigError(f"{path.name} holds pickled objects, such as a whole module; {SAVE}") from error


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _tensors_only(state: Any, path: Path) -> dict[str, Tensor]:
    """The state itself, unless it is a checkpoint with more in it than weights, or no dictionary at all."""
    if not isinstance(state, dict):
        raise ModelConfigError(f"{path.name} holds a {type(state).__name__} and not tensors by name; {SAVE}")
    for name, value in state.items():
        if not isinstance(value, Tensor) and not str(name).endswith("_extra_state"):  # a module's own, beside tensors
            what = f"{name!r} in {path.name} is of type {type(value).__name__} and no tensor"
            raise ModelConfigError(f"{what}; {SAVE}")
    return state
