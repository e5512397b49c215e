"""Finds the directories of the model repository."""

import os
from pathlib import Path

VARIABLE = "ATTRIBUTION_MODELS"
BESIDE_PACKAGES = Path(__file__).resolve().parent.parent / "models"


class NoModels(Exception):
    """No model was found. The message is for the operator."""


def model_directories(given: list[Path] | None) -> list[Path]:
    """The directories given, else those of `ATTRIBUTION_MODELS`, else `./models`, else the ones that ship.

    Raises:
        NoModels: a directory is absent, or none of them holds a folder with a `model.toml`.
    """
    directories = [path.resolve() for path in given or _usual()]
    for directory in directories:
        if not directory.is_dir():
            raise NoModels(f"{directory} is not a directory")
        if (directory / "model.toml").is_file():
            raise NoModels(f"{directory} is one model; give the directory that holds it: {directory.parent}")
    if not any(path for directory in directories for path in directory.glob("*/model.toml")):
        raise NoModels(f"no folder of {', '.join(map(str, directories))} holds a model.toml")
    return directories


def joined(directories: list[Path]) -> str:
    """The directories in the format of `ATTRIBUTION_MODELS`."""
    return os.pathsep.join(map(str, directories))


def _usual() -> list[Path]:
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    if named:
        return named
    here = Path("models")
    return [here if here.is_dir() else BESIDE_PACKAGES]
