"""Times as clients see them."""

from datetime import datetime

from schemas.timestamps import rfc3339


def test_milliseconds_in_utc() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_769_860_800_007) == "2026-01-31T12:00:00.007Z"


def test_it_reads_back() -> None:
    assert datetime.fromisoformat(rfc3339(1_769_860_800_123)).timestamp() == 1_769_860_800.123
