"""`attribution models new`: a model folder that works, with comments that say what to put in place of the example."""

import re
from pathlib import Path
from typing import Literal

from rich.text import Text

from cli.console import EXIT_USAGE, console, fail
from cli.model_templates import MODEL_PY, MODEL_TOML

Kind = Literal["image", "tabular", "tensor"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def write_model(folder: Path, kind: Kind) -> None:
    """Writes `model.toml` and `model.py`. Exits with a message where the folder is in use or its name is no model's."""
    name = folder.resolve().name
    if not NAME.fullmatch(name):
        fail(f"{name!r} is no name of a model: letters, digits, dots, hyphens and underscores", EXIT_USAGE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            fail(f"{folder} is not empty", EXIT_USAGE)
        (folder / "model.toml").write_text(MODEL_TOML[kind].format(name=name), "utf-8")
        (folder / "model.py").write_text(MODEL_PY[kind], "utf-8")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", EXIT_USAGE)
    parent = folder.parent
    console.print(Text.assemble("written     ", (f"{folder}/model.toml, model.py", "bold")), soft_wrap=True)
    console.print(Text(f"check it    attribution models check {parent}"), soft_wrap=True)
    console.print(Text(f"serve it    attribution serve --models {parent}"), soft_wrap=True)
