"""Loader `torchscript`: a program saved by `torch.jit.save`. Reading it runs no Python code of the folder."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from workers.models.loaders.loaded_module import LoadedModule
from workers.repository.model_toml import ModelConfig, ModelConfigError, inside


class ScriptedModule(nn.Module):
    """A module around a ScriptModule, which takes no hooks and has no `requires_grad_` of its own."""

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.script = script

    def forward(self, *args: Any) -> Any:
        return self.script(*args)


def load(config: ModelConfig, folder: Path) -> LoadedModule:
    """Loads the program of the folder.

    Raises:
        ModelConfigError: the file is missing, or is no TorchScript program.
    """
    path = inside(folder, config.file or "")
    if not path.is_file():
        raise ModelConfigError(f"file: {config.file!r} is not in the model's folder")
    try:
        script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise ModelConfigError(f"file: {config.file!r} is no TorchScript program: {_first_line(error)}") from error
    module = ScriptedModule(script)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if config.input.dtype == "float64":
        module = module.double()
    return LoadedModule(module.eval(), config)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
