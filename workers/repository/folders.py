"""The folders of the model repository, and the models that they describe."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from schemas.model_key import ModelKey
from workers.repository.model_toml import ModelConfigError, read_config


class UnknownModels(ValueError):
    """The repository lacks models that are named. The message says which, and which there are."""


class RepositoryEntry(NamedTuple):
    """A folder and its model. With an `error` the description cannot be read, and the folder's name stands in."""

    name: str
    version: str
    folder: Path
    error: str | None = None

    @property
    def key(self) -> ModelKey:
        return ModelKey(self.name, self.version)


def model_folders(directories: list[Path]) -> list[Path]:
    """The folders with a `model.toml`, by path."""
    return sorted(path.parent for directory in directories for path in directory.glob("*/model.toml"))


def find_models(directories: list[Path]) -> list[RepositoryEntry]:
    """One entry for each folder. A second folder with the same name and version is an error."""
    found: dict[ModelKey, RepositoryEntry] = {}
    for folder in model_folders(directories):
        entry = _entry(folder)
        if entry.key in found:
            version = f"{entry.version}.duplicate"
            entry = RepositoryEntry(entry.name, version, folder, "another folder has this name and version")
        found.setdefault(entry.key, entry)
    return list(found.values())


def chosen_models(directories: list[Path], names: frozenset[str] = frozenset()) -> list[RepositoryEntry]:
    """The entries of these models, each `name`, for all of its versions, or `name@version`; all where none is named."""
    found = find_models(directories)
    return [entry for entry in found if entry.name in names or str(entry.key) in names] if names else found


def check_names(directories: list[Path], names: frozenset[str]) -> None:
    """Raises `UnknownModels` where the repository lacks one of these models."""
    found = find_models(directories)
    missing = names - {text for entry in found for text in (entry.name, str(entry.key))}
    if missing:
        known = ", ".join(sorted({entry.name for entry in found})) or "none"
        raise UnknownModels(f"the repository has no model {', '.join(sorted(missing))}; it has: {known}")


def fingerprint(folder: Path) -> str:
    """sha256 over names and contents of all files, which changes with weights, code or configuration.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\n".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _entry(folder: Path) -> RepositoryEntry:
    try:
        config = read_config(folder)
    except ModelConfigError as error:
        return RepositoryEntry(folder.name, "1", folder, str(error))
    return RepositoryEntry(config.name, config.version, folder)
