"""Loader `python`: a callable builds the module. The code is the operator's; no client can name a folder."""

import importlib
import importlib.util
import itertools
import re
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

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
    if not source.endswith(".py"):
        return _call_factory(importlib.import_module(source), source, attribute)
    path = inside(folder, source)
    if not path.is_file():
        raise ModelConfigError(f"factory: {source!r} is not in the model's folder")
    unique = f"_model_{_NON_WORD.sub('_', folder.name)}_{next(_LOAD_NUMBERS)}"
    try:
        built = _call_factory(_run_file(unique, path), source, attribute)
    except BaseException:
        _forget(unique)
        raise
    weakref.finalize(built, _forget, unique).atexit = False  # classes look up their module while in use
    return built


def _run_file(name: str, path: Path) -> ModuleType:
    """Runs the file as a package of its folder, so that `from .blocks import Block` finds `blocks.py` in it.

    `dataclasses`, `typing` and `enum` look up the module of a class in `sys.modules`, so it is there before it runs.
    """
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None:
        raise ModelConfigError(f"factory: {path.name!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _forget(name: str) -> None:
    for one in [one for one in list(sys.modules) if one == name or one.startswith(f"{name}.")]:
        sys.modules.pop(one, None)


def _call_factory(source: ModuleType, name: str, attribute: str) -> nn.Module:
    factory: Callable[[], Any] | None = getattr(source, attribute, None)
    if not callable(factory):
        raise ModelConfigError(f"factory: {name!r} has no callable {attribute!r}")
    built = factory()
    if not isinstance(built, nn.Module):
        raise ModelConfigError(f"factory: '{name}:{attribute}' returned {type(built).__name__}, not an nn.Module")
    return built
