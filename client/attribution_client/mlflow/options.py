"""What `evaluator_config` says."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import Any

from mlflow.exceptions import MlflowException

DEFAULT_SAMPLE = 20
MAX_SAMPLE = 10_000
MAX_PICTURES = 200
MAX_CONCURRENCY = 64


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the evaluator.

    Attributes:
        model, version, method, target, quality, seed, timeout_s: as of `Client.explain`; `timeout_s` is for each
            example.
        url, language: as of `Client`. The key comes from `ATTRIBUTION_KEY` alone, so that no configuration holds it.
        sample: how many examples of the data set are explained.
        sample_seed: which ones; the same seed takes the same ones.
        input_column: the column that holds the pictures, texts or tensors. Default: the only column.
        pictures: how many of the explained examples are drawn.
        concurrency: how many are explained at once.
        prefix: begins the names of metrics, tags and artifacts.
    """

    model: str
    version: str | None = None
    method: Any = None
    target: Any = None
    quality: list[Any] | None = None
    seed: int | None = None
    timeout_s: float | None = None
    url: str | None = None
    language: str | None = None
    sample: int = DEFAULT_SAMPLE
    sample_seed: int = 0
    input_column: str | None = None
    pictures: int = 10
    concurrency: int = 8
    prefix: str = "attribution"


NAMES = tuple(field.name for field in dataclasses.fields(Options))
_BOUNDS = {
    "sample": (1, MAX_SAMPLE),
    "sample_seed": (0, 2**63 - 1),
    "pictures": (0, MAX_PICTURES),
    "concurrency": (1, MAX_CONCURRENCY),
}


def read_options(config: Mapping[str, Any]) -> Options:
    """The options in an `evaluator_config`.

    Raises:
        MlflowException: an option is unknown, or its value is not usable. The message names it.
    """
    for name in config:
        if name not in NAMES:
            near = difflib.get_close_matches(str(name), NAMES, 1)
            told = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)}"
            raise refused(f"unknown option {name!r}; {told}")
    if not isinstance(config.get("model"), str):
        raise refused("model: give the name of a model of the service")
    for name, (least, most) in _BOUNDS.items():
        value = config.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise refused(f"{name}: expected a whole number from {least} to {most}, got {value!r}")
    check_prefix(config.get("prefix", "attribution"))
    return Options(**config)


def check_prefix(prefix: Any) -> None:
    """Raises `MlflowException` for a prefix that MLflow could not use in the names of metrics and artifacts."""
    is_plain = isinstance(prefix, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", prefix)
    if not is_plain:
        raise refused(f"prefix: expected at most 50 letters, digits, '_', '-' and '.', got {prefix!r}")


def refused(message: str) -> MlflowException:
    """The error of a configuration that cannot be used."""
    return MlflowException.invalid_parameter_value(f"evaluator 'attribution': {message}")
