"""`Prefer: wait`, as RFC 7240 defines it."""

import pytest

from service.http.prefer import preferred_wait_s


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("wait=10", 10.0),
        ('respond-async, WAIT = "2.5"', 2.5),
        ("wait=3; foo=bar", 3.0),
        ("respond-async", None),
        ("wait=soon", None),
        ("wait=-1", None),
        ("wait=inf", None),
        (None, None),
    ],
)
def test_prefer(header: str | None, expected: float | None) -> None:
    assert preferred_wait_s(header) == expected
