"""Prints the requirements of the project and of the extras that the arguments name, one per line.

The Dockerfile installs them in a layer of their own. In place of the client, which is built from its folder, stand the
client's own requirements.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

CLIENT = "attribution-client"


def project(folder: str) -> dict[str, Any]:
    """The `[project]` of a folder's pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(Path(folder, "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


ours = project(".")
for requirement in [
    *ours["dependencies"],
    *(extra for name in sys.argv[1:] for extra in ours["optional-dependencies"][name]),
]:
    print(*(project("client")["dependencies"] if requirement == CLIENT else [requirement]), sep="\n")
