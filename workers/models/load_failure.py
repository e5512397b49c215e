"""Why a model could not be loaded: what went wrong, and where in the operator's file."""

import contextlib
import traceback
from pathlib import Path

import structlog

from schemas.models import ModelCard
from workers.engine.error_trace import causes, without_data
from workers.models.tuning import MAX_FAILURE_CHARACTERS
from workers.repository.model_toml import ModelConfigError, read_config

log = structlog.get_logger()


def load_failure_reason(error: BaseException, folder: Path) -> str:
    """The error in words, behind the line of the folder's own code that it passed through, if any.

    A load runs on a sample that the worker makes, so the message of the error holds no data of a client.
    """
    reason = str(error) if isinstance(error, ModelConfigError) else f"{type(error).__name__}: {error}"
    line = next((found for one in causes(error) if (found := _line(one, folder.resolve()))), None)
    return (f"{line}: {reason}" if line else reason)[:MAX_FAILURE_CHARACTERS]


def load_failure_card(folder: Path, error: Exception) -> ModelCard:
    """The card of a folder that could not be loaded. Logs the failure."""
    reason = load_failure_reason(error, folder)
    name, version = folder.name, "1"
    with contextlib.suppress(ModelConfigError):
        config = read_config(folder)
        name, version = config.name, config.version
    log.error("model failed to load", model=name, reason=reason, exception=without_data(error))
    return ModelCard(name=name, version=version, status="failed", error=reason)


def _line(error: BaseException, folder: Path) -> str | None:
    """`model.py line 12 in build`: the last frame inside the folder, or the line of a syntax error."""
    if isinstance(error, SyntaxError) and error.filename and (name := _path_in(error.filename, folder)):
        return f"{name} line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if name := _path_in(frame.filename, folder):
            return f"{name} line {frame.lineno} in {frame.name}"
    return None


def _path_in(filename: str, folder: Path) -> str | None:
    path = Path(filename)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else None
