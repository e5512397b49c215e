"""Chooses the loader that a description names."""

from collections.abc import Callable
from pathlib import Path

import torch

from workers.models.loaders import export, python, timm_model, torchscript, transformers_folder
from workers.models.loaders.loaded_module import LoadedModule
from workers.repository.model_toml import LoaderName, ModelConfig

LOADERS: dict[LoaderName, Callable[[ModelConfig, Path], LoadedModule]] = {
    "python": python.load,
    "torchscript": torchscript.load,
    "export": export.load,
    "transformers": transformers_folder.load,
    "timm": timm_model.load,
}


def load_module(config: ModelConfig, folder: Path) -> LoadedModule:
    """Loads the folder's module on the CPU, in evaluation mode, with frozen weights.

    Raises:
        ModelConfigError: the folder does not hold what its description says.
        Exception: whatever the model's own code raises.
    """
    _disable_attention_fast_path()
    return LOADERS[config.loader](config, folder)


def _disable_attention_fast_path() -> None:
    """Switches off torch's fused inference path of attention and transformer encoders, in the whole process.

    The fast path calls no submodules, so their hooks never run, and it passes nested tensors, which have no shape,
    between layers. Passes with gradients never take it; without it, all passes of a method run the same code.
    """
    torch.backends.mha.set_fastpath_enabled(False)
