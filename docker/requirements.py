"""Prints the requirements of the project and of the extras that the arguments name, one per line.

The Dockerfile installs them in a layer of their own.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in [
    *project["dependencies"],
    *(extra for name in sys.argv[1:] for extra in project["optional-dependencies"][name]),
]:
    print(requirement)
