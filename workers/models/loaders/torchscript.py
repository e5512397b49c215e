"""`torchscript`: a program saved by `torch.jit.save`. Reading it runs no Python; its code is TorchScript's own."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from workers.models.loaders.loaded import Loaded
from workers.repository.model_toml import ModelConfig, ModelConfigError, inside


class Scripted(nn.Module):
    """An ordinary module around a ScriptModule, which takes no hooks and cannot be frozen as a whole."""

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.script = script

    def forward(self, *args: Any) -> Any:
        return self.script(*args)


def load(config: ModelConfig, folder: Path) -> Loaded:
    """Raises:
    ModelConfigError: the file is missing, or is no TorchScript.
    """
    path = inside(folder, config.file or "")
    if not path.is_file():
        raise ModelConfigError(f"file: {config.file!r} is not in the model's folder")
    try:
        script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise ModelConfigError(f"file: {config.file!r} is no TorchScript program: {_first_line(error)}") from error
    module = Scripted(script)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if config.input.dtype == "float64":
        module = module.double()
    return Loaded(module.eval(), config)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
