"""Files of tensors in a model's folder: safetensors, or torch's format read with `weights_only`."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from workers.repository.model_toml import ModelConfig, ModelConfigError, inside

_HOW_TO_SAVE = "save the state_dict: torch.save(model.state_dict(), path)"


def load_weights(module: nn.Module, path: Path) -> None:
    """Fills the module from a file. Tensors of the module that the file lacks keep their values.

    Raises:
        ModelConfigError: the file is missing, or holds a tensor that the module lacks or that has another shape.
    """
    state = read_tensors(path)
    try:
        unexpected = module.load_state_dict(state, strict=False).unexpected_keys
    except RuntimeError as error:  # different shapes: a heading, then one line for each
        first = str(error).strip().splitlines()[-1].strip()
        raise ModelConfigError(f"weights: they do not fit the model: {first}") from error
    if unexpected:
        raise ModelConfigError(f"weights: the model has no {unexpected[0]!r}")


def read_background(config: ModelConfig, folder: Path, shapes: list[list[int]]) -> tuple[Tensor, ...] | None:
    """Reads the model's background set: (rows, …) in model space for each input; None where there is none.

    The file holds one tensor under any name; for a model of several inputs `input.0`, `input.1`, ….

    Raises:
        ModelConfigError: the file is missing, or does not hold an equal number of rows of each input's shape.
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
    """Reads tensors by name.

    Raises:
        ModelConfigError: the file is missing, or holds anything but tensors by name.
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
    """Messages of torch are not passed on, because they advise to disable `weights_only`."""
    if _is_script(path):
        raise ModelConfigError(f"{path.name} is a TorchScript program; {_HOW_TO_SAVE}, or use loader 'torchscript'")
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (EOFError, KeyError, RuntimeError) as error:  # a file that is cut short or of another format
        raise ModelConfigError(f"{path.name} is damaged, or was not written by torch.save") from error
    except Exception as error:  # the restricted unpickler raises several types for other objects
        raise ModelConfigError(f"{path.name} holds pickled objects, such as a whole module; {_HOW_TO_SAVE}") from error


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _tensors_only(state: Any, path: Path) -> dict[str, Tensor]:
    """Returns the state, or raises `ModelConfigError` where it is no dictionary or holds more than weights."""
    if not isinstance(state, dict):
        raise ModelConfigError(f"{path.name} holds a {type(state).__name__} and not tensors by name; {_HOW_TO_SAVE}")
    for name, value in state.items():
        if not isinstance(value, Tensor) and not str(name).endswith(
            "_extra_state"
        ):  # of `get_extra_state`, which is no tensor
            what = f"{name!r} in {path.name} is of type {type(value).__name__} and no tensor"
            raise ModelConfigError(f"{what}; {_HOW_TO_SAVE}")
    return state
