"""The folders of the model repository, by the models they describe."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from workers.models.load import model_folders
from workers.repository.model_toml import ModelConfigError, read_config


class Found(NamedTuple):
    """A folder. With an `error` it does not say which model it holds, and goes by its own name."""

    name: str
    version: str
    folder: Path
    error: str | None = None

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"


def find_models(directories: list[Path]) -> list[Found]:
    """Every folder, by name; the second one of a name and version is wrong."""
    found: dict[str, Found] = {}
    for folder in model_folders(directories):
        try:
            config = read_config(folder)
        except ModelConfigError as error:
            one = Found(folder.name, "1", folder, str(error))
        else:
            one = Found(config.name, config.version, folder)
        if one.key in found:
            one = Found(one.name, f"{one.version}.duplicate", folder, "another folder has this name and version")
        found.setdefault(one.key, one)
    return list(found.values())


def fingerprint(folder: Path) -> str:
    """sha256 over what its files hold: another one after new weights, code or configuration.

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
