"""The result of a job that shares another one's."""

import json

import pytest

from broker.gateway.results import shared_meta

META = {"id": "first", "timing": {"queued_ms": 1.5, "run_ms": 9.0, "rows": 52, "passes": 4, "fill": None}}


@pytest.mark.parametrize(
    ("cache", "timing"),
    [
        ("hit", {"queued_ms": 0.0, "run_ms": 0.0, "rows": 0, "passes": 0, "fill": None}),
        ("shared", {"queued_ms": 1.5, "run_ms": 9.0, "rows": 0, "passes": 0, "fill": None}),
    ],
)
def test_it_has_computed_no_rows(cache: str, timing: dict[str, float]) -> None:
    meta = json.loads(shared_meta(json.dumps(META).encode(), "second", cache))
    assert meta == {"id": "second", "cache": cache, "timing": timing}
