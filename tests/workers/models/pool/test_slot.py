"""The state of one model at a worker."""

from pathlib import Path
from typing import Any

import pytest

from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus
from schemas.statistics import MemoryCounters
from workers.models.pool.slot import PooledModel, Slot


def pooled(fingerprint: str = "old", jobs: int = 0) -> PooledModel:
    model: Any = None
    return PooledModel(model, 100, fingerprint, load_s=1.0, loaded_at_s=0.0, jobs=jobs)


def slot(status: ModelStatus = "ready", **fields: Any) -> Slot:
    return Slot(ModelKey("m", "1"), Path("m"), ModelCard(name="m", version="1", status=status), **fields)


def test_a_job_needs_a_load_only_where_the_model_was_evicted() -> None:
    assert slot("idle", waiting=1).needs_load
    assert not slot("ready", current=pooled(), waiting=1).needs_load
    assert not slot("failed", waiting=1).needs_load
    assert slot("ready", current=pooled(), load_requested=True).needs_load


def test_the_time_of_need_stays_that_of_the_first_request() -> None:
    one = slot("idle")
    one.mark_needed()
    since = one.needed_since_s
    assert since > 0
    one.waiting = 1
    one.mark_needed()
    assert one.needed_since_s == since


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({}, True),
        ({"current": pooled("new")}, False),
        ({"current": pooled("old")}, True),
        ({"loading": True, "requested_fingerprint": "new"}, False),
        ({"current": pooled("new"), "load_requested": True, "requested_fingerprint": "old"}, True),
    ],
)
def test_a_folder_is_requested_once(fields: dict[str, Any], lacks: bool) -> None:
    assert slot(**fields).lacks("new") is lacks


def test_retired_models_leave_with_their_last_job() -> None:
    running = pooled(jobs=1)
    one = slot(current=running)
    one.retire()
    assert one.current is None
    assert one.pop_unused() == []
    running.jobs = 0
    assert one.pop_unused() == [running]
    assert one.retired == []


def test_a_busy_model_has_jobs() -> None:
    assert slot(current=pooled(jobs=1)).busy
    assert slot("idle", waiting=1).busy
    assert not slot(current=pooled()).busy


def test_what_is_published() -> None:
    one = slot(current=pooled(), bytes=100, loads=2, evictions=1, last_used=1.5)
    one.set_status("ready", "no weights today")
    published = one.residence("w")
    assert (published.worker, published.status, published.error) == ("w", "ready", "no weights today")
    assert (published.loads, published.evictions, published.bytes) == (2, 1, 100)
    assert published.last_used_at == "1970-01-01T00:00:01.500Z"
    assert one.counters() == MemoryCounters(
        loads_total=2, evictions_total=1, model_bytes=100, last_used_timestamp_seconds=1.5
    )
    one.retire()
    assert one.counters().model_bytes == 0
