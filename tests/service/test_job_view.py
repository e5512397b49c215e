"""A stored job as a document for clients."""

from typing import Any

import pytest

from broker import JobRecord
from schemas.jobs import PREDICTED, ClassRef, JobSpec
from service.job_view import job_path, job_view


def record(**changed: Any) -> JobRecord:
    spec = {"model": "m", "version": "2", "input_kind": "text", "examples": 1, "method": {"name": "saliency"}}
    spec.update(changed.pop("spec", {}))
    fields = {"id": "abc", "status": "queued", "done": 5, "total": 20, "created_ms": 1_700_000_000_123, "attempts": 1}
    return JobRecord.model_validate({**fields, "spec": JobSpec.model_validate(spec), **changed})


def test_the_document() -> None:
    job = job_view(record(started_ms=1_700_000_001_000))
    assert (job.id, job.status, job.model, job.version) == ("abc", "queued", "m", "2")
    assert job.progress.fraction == 0.25
    assert job.method["name"] == "saliency"
    assert job.created_at == "2023-11-14T22:13:20.123Z"
    assert job.started_at == "2023-11-14T22:13:21.000Z"
    assert job.finished_at is None


def test_links_are_under_the_proxys_prefix() -> None:
    links = job_view(record(), "/attribution").links
    assert links.self == job_path("abc", "/attribution") == "/attribution/jobs/abc"
    assert links.result == "/attribution/jobs/abc/result"
    assert links.quality is None
    curves = record(spec={"quality": [{"name": "deletion_insertion"}]})
    assert job_view(curves).links.quality == "/jobs/abc/quality.png"


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        (None, None),
        ([3], [ClassRef(index=3)]),
        ([[1, 4, 2]], [ClassRef(index=1, position=[4, 2])]),
        ([[PREDICTED, 4, 2]], None),
    ],
)
def test_the_requested_target_is_shown_until_a_worker_stores_labels(requested: Any, shown: Any) -> None:
    assert job_view(record(spec={"target": requested})).target == shown
    stored = [ClassRef(index=3, label="cat")]
    assert job_view(record(spec={"target": requested}, target=stored)).target == stored
