"""Reads the text files of the catalogue."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_texts(name: str) -> dict[str, Any]:
    """The file `{name}.toml` of this folder. It is shared: do not change it."""
    return tomllib.loads((files("service.catalogue") / f"{name}.toml").read_text(encoding="utf-8"))
