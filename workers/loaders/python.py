"""`python`: a callable builds the module. The folder is the operator's: its code is run, no client can name one."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from workers.config import ModelConfig, ModelConfigError, inside
from workers.loaders.loaded import Loaded
from workers.loaders.weights import load_weights


def load(config: ModelConfig, folder: Path) -> Loaded:
    """Raises:
    ModelConfigError: the factory or the weights are not as described.
    Whatever the factory raises.
    """
    module = _factory(config.factory or "", folder)()
    if not isinstance(module, nn.Module):
        raise ModelConfigError(f"factory: {config.factory!r} returned {type(module).__name__}, not an nn.Module")
    if config.weights is not None:
        load_weights(module, inside(folder, config.weights))
    if config.input.dtype == "float64":
        module = module.double()
    return Loaded(module.eval().requires_grad_(False), config)


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
