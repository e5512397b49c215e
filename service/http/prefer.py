"""The wait that a client prefers: `Prefer: wait=N` (RFC 7240), in seconds. Pure."""

import math


def preferred_wait_s(prefer: str | None) -> float | None:
    """The `wait` preference of the header, in seconds; None if it is absent or malformed (RFC 7240, section 2)."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(value.strip().strip('"'))
    return None


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
