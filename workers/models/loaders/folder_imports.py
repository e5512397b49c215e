"""Imports in the code of a model's folder: `import blocks` finds its `blocks.py`, whatever else has that name.

Each load runs the folder's files as modules of a package of its own, with an `import` that looks in the folder first.
So a folder may have modules called `schemas` or `workers`, as this service has, and two models may each have `blocks`.
"""

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any


class FolderPackage:
    """The modules of one load of a model's folder, below the package `name`.

    Modules of the standard library keep their names, as do installed packages that are called like a folder without
    `__init__.py`.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._path = [str(folder)]
        self._is_inside: dict[str, bool] = {}  # by first name
        package = ModuleType(name)
        package.__path__ = self._path
        sys.modules[name] = package
        _FINDER.packages[name] = self

    def run_file(self, path: Path, name: str) -> ModuleType:
        """Run a file of the folder as the module `name` of the package."""
        full_name = f"{self.name}.{name}"
        loader = _FolderLoader(full_name, str(path), self)
        spec = ModuleSpec(full_name, loader, origin=str(path))
        spec.has_location = True
        module = importlib.util.module_from_spec(spec)
        # `dataclasses`, `typing` and `enum` look up the module of a class while it runs.
        sys.modules[full_name] = module
        loader.exec_module(module)
        return module

    def holds(self, name: str) -> bool:
        """Whether `import name` in the folder's code means a module of the folder."""
        if name not in self._is_inside:
            self._is_inside[name] = name not in sys.stdlib_module_names and self._finds(name)
        return self._is_inside[name]

    def import_module(self, name: str) -> ModuleType:
        """The module of the folder that its code calls `name`."""
        return importlib.import_module(f"{self.name}.{name}")

    def forget(self) -> None:
        """Remove the modules from those that Python knows."""
        _FINDER.packages.pop(self.name, None)
        for one in [one for one in list(sys.modules) if one == self.name or one.startswith(f"{self.name}.")]:
            sys.modules.pop(one, None)

    def import_name(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """What `__import__` does in the folder's code."""
        first = name.partition(".")[0]
        if level or not self.holds(first):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist or (), 0)
        return module if fromlist else sys.modules[f"{self.name}.{first}"]

    def _finds(self, name: str) -> bool:
        spec = PathFinder.find_spec(f"{self.name}.{name}", self._path)
        if spec is None:
            return False
        return spec.has_location or importlib.util.find_spec(name) is None


class _FolderLoader(SourceFileLoader):
    """Runs a file with the folder's own `import`."""

    def __init__(self, name: str, path: str, package: FolderPackage) -> None:
        super().__init__(name, path)
        self._package = package

    def exec_module(self, module: ModuleType) -> None:
        names: dict[str, Any] = {**vars(builtins), "__import__": self._package.import_name}
        module.__dict__["__builtins__"] = names
        super().exec_module(module)


class _FolderFinder(MetaPathFinder):
    """Finds the modules below the packages of folders."""

    def __init__(self) -> None:
        self.packages: dict[str, FolderPackage] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package = self.packages.get(fullname.partition(".")[0])
        if package is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _FolderLoader(spec.loader.name, spec.loader.path, package)
        return spec


_FINDER = _FolderFinder()
sys.meta_path.insert(0, _FINDER)
