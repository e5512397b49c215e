"""How long a client is willing to wait: `Prefer: wait=N` (RFC 7240) or `?wait=N`, in seconds. Pure."""

import math


def preferred_wait_s(header: str | None) -> float | None:
    """The `wait` preference; None when absent. A malformed preference is ignored, as the RFC asks."""
    for part in (header or "").split(","):
        name, _, value = part.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            return _seconds(value.strip().strip('"'))
    return None


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
