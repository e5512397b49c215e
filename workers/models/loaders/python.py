"""Loader `python`: a callable builds the module. The code is the operator's; no client can name a folder."""

import importlib
import itertools
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from workers.models.loaders.folder_imports import FolderPackage
from workers.models.loaders.loaded_module import LoadedModule
from workers.models.loaders.weights import load_weights
from workers.repository.model_toml import ModelConfig, ModelConfigError, inside

_NON_WORD = re.compile(r"\W")
_LOAD_NUMBERS = itertools.count()  # each load runs its code under a module name of its own


def load(config: ModelConfig, folder: Path) -> LoadedModule:
    """Calls the factory, and fills its module with the weights.

    Raises:
        ModelConfigError: the factory or the weights do not fit the description.
        Exception: whatever the factory raises.
    """
    module = _build(config.factory or "", folder)
    if config.weights is not None:
        load_weights(module, inside(folder, config.weights))
    if config.input.dtype == "float64":
        module = module.double()
    return LoadedModule(module.eval().requires_grad_(False), config)


def _build(name: str, folder: Path) -> nn.Module:
    source, colon, attribute = name.rpartition(":")
    if not colon:
        raise ModelConfigError(f"factory: {name!r} is not 'file.py:callable' or 'package.module:callable'")
    path = inside(folder, source) if source.endswith(".py") else None
    if path is not None and not path.is_file():
        raise ModelConfigError(f"factory: {source!r} is not in the model's folder")
    unique = f"_model_{_NON_WORD.sub('_', folder.name)}_{next(_LOAD_NUMBERS)}"
    package = FolderPackage(unique, path.parent if path else folder)
    try:
        built = _call_factory(_module(package, path, source), source, attribute)
    except BaseException:
        package.forget()
        raise
    weakref.finalize(built, package.forget).atexit = False  # classes look up their module while in use
    return built


def _module(package: FolderPackage, path: Path | None, source: str) -> ModuleType:
    if path is not None:
        return package.run_file(path, _NON_WORD.sub("_", path.stem))
    if package.holds(source.partition(".")[0]):
        return package.import_module(source)
    return importlib.import_module(source)


def _call_factory(source: ModuleType, name: str, attribute: str) -> nn.Module:
    factory: Callable[[], Any] | None = getattr(source, attribute, None)
    if not callable(factory):
        raise ModelConfigError(f"factory: {name!r} has no callable {attribute!r}")
    built = factory()
    if not isinstance(built, nn.Module):
        raise ModelConfigError(f"factory: '{name}:{attribute}' returned {type(built).__name__}, not an nn.Module")
    return built
