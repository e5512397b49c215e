"""Loaders: from a folder of the model repository to a module, one for each way in which models are kept.

Nothing here reaches for a hub, and nothing a folder names leads out of it.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from workers.models.loaders import export, python, timm_model, torchscript, transformers_folder
from workers.models.loaders.loaded import Loaded
from workers.repository.model_toml import ModelConfig

LOADERS: dict[str, Callable[[ModelConfig, Path], Loaded]] = {
    "python": python.load,
    "torchscript": torchscript.load,
    "export": export.load,
    "transformers": transformers_folder.load,
    "timm": timm_model.load,
}


def load(config: ModelConfig, folder: Path) -> Loaded:
    """The folder's model on the CPU, in evaluation mode, with frozen weights.

    Raises:
        ModelConfigError: the folder does not hold what its description says.
        Whatever the model's own code raises.
    """
    _plain_attention()
    return LOADERS[config.loader](config, folder)


def _plain_attention() -> None:
    """Switches off torch's fused inference path of attention and transformer encoders, in the whole process.

    It passes over submodules, so that their hooks never fire, and hands nested tensors from layer to layer, which have
    no shape. Gradients never take it; without it, every pass of a method runs the same code.
    """
    torch.backends.mha.set_fastpath_enabled(False)
