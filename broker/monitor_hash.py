"""Reads monitors from their Redis hashes.

Fields of a hash: id (`owner/name`), definition (`MonitorDefinition` as JSON), created_ms, observed_ms, skipped,
reference (what workers compare with, as JSON of theirs) and reference_count, observed (explanations since), full_parts
and part_held (how many parts of windows are full, and the explanations in the one being filled), statistics, figures
(`DriftStatistics`, and those that /metrics shows, as JSON) and statistics_parts (full parts when they were computed),
problem (why the reference cannot be made).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import orjson

from broker.stored_job import NOT_READABLE
from schemas.monitors import LAYOUT, DriftStatistics, MonitorDefinition, Statistic

FIELDS = (
    *("definition", "created_ms", "observed_ms", "skipped", "reference_count", "observed"),
    *("full_parts", "part_held", "statistics", "problem"),
)
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)


class MonitorRecord(NamedTuple):
    """A monitor as stored. Times are milliseconds since the epoch, by the clock of Redis; counts are explanations.

    Attributes:
        collected: of a reference that is not complete.
        reference_count: of the complete reference; None while it is not.
        full_parts: parts of windows that are full, ten of which make a window.
        part_held: in the part that is being filled.
    """

    name: str
    definition: MonitorDefinition
    created_ms: int
    observed_ms: int | None
    skipped: int
    collected: int
    reference_count: int | None
    observed: int
    full_parts: int
    part_held: int
    statistics: DriftStatistics | None
    problem: str | None


def monitor_id(owner: str, name: str) -> str:
    """Neither holds a slash."""
    return f"{owner}/{name}"


def monitor_label(stored_id: str) -> str:
    """A monitor's name among all keys': its own on a service without keys, else `key/name`."""
    return stored_id.removeprefix("/")


def read_monitor(name: str, values: Sequence[bytes | None], collected: int) -> MonitorRecord | None:
    """The monitor of the values of `FIELDS`; None if it has expired, is damaged, or of a version that this one cannot
    read."""
    fields: Mapping[str, Any] = dict(zip(FIELDS, values, strict=True))
    try:
        definition = read_definition(fields["definition"])
        if definition is None:
            return None
        statistics = fields["statistics"]
        problem = fields["problem"]
        return MonitorRecord(
            name=name,
            definition=definition,
            created_ms=_number(fields["created_ms"]) or 0,
            observed_ms=_number(fields["observed_ms"]),
            skipped=_number(fields["skipped"]) or 0,
            collected=collected,
            reference_count=_number(fields["reference_count"]),
            observed=_number(fields["observed"]) or 0,
            full_parts=_number(fields["full_parts"]) or 0,
            part_held=_number(fields["part_held"]) or 0,
            statistics=None if statistics is None else DriftStatistics.model_validate_json(statistics),
            problem=None if problem is None else problem.decode(errors="replace"),
        )
    except NOT_READABLE:
        return None


def read_definition(text: bytes | None) -> MonitorDefinition | None:
    """The definition; None if there is none, or it is of another layout.

    Raises:
        ValueError: it is damaged.
    """
    definition = None if text is None else MonitorDefinition.model_validate_json(text)
    return definition if definition is not None and definition.layout == LAYOUT else None


def read_figures(text: bytes | None) -> dict[Statistic, float]:
    """The figures that /metrics shows; those that are finite numbers of a known name."""
    try:
        figures = orjson.loads(text or b"{}")
        return {
            name: float(figures[name])
            for name in STATISTICS
            if isinstance(figures.get(name), int | float) and math.isfinite(figures[name])
        }
    except (*NOT_READABLE, AttributeError):
        return {}


def _number(value: bytes | None) -> int | None:
    """A count or a time; None if it is absent. Raises `ValueError` for what is none."""
    if value is None:
        return None
    number = int(value)
    if not 0 <= number < 1 << 47:
        raise ValueError("no count and no time")
    return number
