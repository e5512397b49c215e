"""The work that waits for a group of workers, in seconds of one of them. Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from broker.tuning import MIN_PACE_MS, UNKNOWN_ROWS_PER_S
from schemas.model_key import ModelKey


class Pace(NamedTuple):
    """How many rows of a model one worker computes in a second of its time. `measured` False: it is an estimate."""

    rows_per_s: float
    measured: bool


class Backlog(NamedTuple):
    """The waiting and running jobs of a model, as one group of workers sees them.

    Attributes:
        model: whose jobs.
        group: a group that holds the model; each such group has a backlog of all of the model's jobs.
        seconds: that one worker of the group, alone, would take; 0 without jobs.
        pace: of one worker.
    """

    model: ModelKey
    group: str
    seconds: float
    pace: Pace


def pace_of(fields: Mapping[str, str], group: str) -> Pace:
    """The pace of one worker of a group, from the fields that the script `note_pace` writes.

    Before anything was measured it is that of the slowest other group, and without one `UNKNOWN_ROWS_PER_S`.
    """
    own = _measured(fields, group)
    if own is not None:
        return Pace(own, measured=True)
    groups = {name.partition(" ")[2] for name in fields if name.startswith("rows ")}
    others = [pace for one in groups if (pace := _measured(fields, one)) is not None]
    return Pace(min(others, default=float(UNKNOWN_ROWS_PER_S)), measured=False)


def backlogs(
    model: ModelKey, jobs: int, rows: float, pace_fields: Mapping[str, str], groups: Iterable[str]
) -> list[Backlog]:
    """The backlog of a model at each group that holds it.

    Args:
        jobs: that wait or run.
        rows: that they are expected to take. Each job counts as one row at least, so that no job is overlooked.
    """
    expected = max(rows, jobs) if jobs else 0
    found = []
    for group in groups:
        pace = pace_of(pace_fields, group)
        found.append(Backlog(model, group, expected / pace.rows_per_s, pace))
    return found


def _measured(fields: Mapping[str, str], group: str) -> float | None:
    """Rows a second; None where too little was measured, or what is stored is damaged."""
    try:
        rows, busy_ms = float(fields[f"rows {group}"]), float(fields[f"busy_ms {group}"])
    except (KeyError, ValueError):
        return None
    if not (math.isfinite(rows) and math.isfinite(busy_ms)) or busy_ms < MIN_PACE_MS or rows < 1:
        return None
    return 1000 * rows / busy_ms
