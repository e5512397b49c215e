"""The requirements of the project and of the extras named, one per line: what a layer of dependencies needs."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in [
    *project["dependencies"],
    *(one for name in sys.argv[1:] for one in project["optional-dependencies"][name]),
]:
    print(requirement)
