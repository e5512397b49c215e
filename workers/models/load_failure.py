"""Why a model could not be loaded, in words for its card: what went wrong, and where in the operator's file."""

import traceback
from pathlib import Path

from workers.engine.error_trace import causes
from workers.repository.model_toml import ModelConfigError


def load_failure_reason(error: BaseException, folder: Path) -> str:
    """The error in words, behind the line of the folder's own code that it came through, if any.

    A load runs on a sample that the worker makes up, so the error's message holds nobody's data.
    """
    reason = str(error) if isinstance(error, ModelConfigError) else f"{type(error).__name__}: {error}"
    place = next((found for one in causes(error) if (found := _place(one, folder.resolve()))), None)
    return f"{place}: {reason}" if place else reason


def _place(error: BaseException, folder: Path) -> str | None:
    """`model.py line 12 in build`: the last frame inside the folder, or the line that is no Python."""
    if isinstance(error, SyntaxError) and error.filename and (name := _inside(error.filename, folder)):
        return f"{name} line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if name := _inside(frame.filename, folder):
            return f"{name} line {frame.lineno} in {frame.name}"
    return None


def _inside(filename: str, folder: Path) -> str | None:
    path = Path(filename)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else None
