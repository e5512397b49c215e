"""Points in time as clients see them."""

from datetime import UTC, datetime


def rfc3339(epoch_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, such as `2026-01-31T12:00:00.123Z`."""
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
