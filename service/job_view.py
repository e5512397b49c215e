"""A stored job as the `Job` document that clients see."""

from typing import Any

from fastapi import Request, Response

from broker import JobRecord
from schemas.jobs import PREDICTED, ClassRef, Job, Links, Progress, Targets
from schemas.methods import echo, stored_method
from schemas.telemetry.trace_context import parse_traceparent
from schemas.timestamps import rfc3339
from service.http.asked_language import asked_language
from service.http.responses import json_response, root_path
from service.http.translation import failure_in_language


def job_view(record: JobRecord, root_path: str = "", starts_in_s: float | None = None) -> Job:
    """The `Job` document in the language of the current request, with links under `root_path`, the prefix under which a
    proxy serves the gateway."""
    spec = record.spec
    context = parse_traceparent(spec.traceparent)
    return Job(
        id=record.id,
        status=record.status,
        progress=Progress.of(record.done, record.total),
        model=spec.model,
        version=spec.version,
        method=_method_echo(spec.method),
        target=record.target or requested_targets(spec.target),
        priority=spec.priority,
        created_at=rfc3339(record.created_ms),
        started_at=None if record.started_ms is None else rfc3339(record.started_ms),
        finished_at=None if record.finished_ms is None else rfc3339(record.finished_ms),
        error=failure_in_language(record.error, asked_language()),
        trace_id=context.trace_id if context else None,
        starts_in_s=starts_in_s,
        links=_links(record, root_path),
    )


def job_response(
    request: Request,
    record: JobRecord,
    status: int = 200,
    headers: dict[str, str] | None = None,
    starts_in_s: float | None = None,
) -> Response:
    """The `Job` document as a JSON response."""
    return json_response(job_view(record, root_path(request), starts_in_s), status, headers)


def job_path(job_id: str, root_path: str = "") -> str:
    """The path of `GET /jobs/{id}`."""
    return f"{root_path}/jobs/{job_id}"


def _method_echo(fields: dict[str, Any]) -> dict[str, Any]:
    """The method's parameters as clients see them; none where the stored job cannot be read."""
    return echo(stored_method(fields)) if fields else {}


def requested_targets(targets: Targets | None) -> list[ClassRef] | None:
    """The targets of the request, shown until a worker stores labelled ones; None while a predicted class is open."""
    if not targets or any(isinstance(target, list) and target[0] == PREDICTED for target in targets):
        return None
    return [ClassRef.of(target) for target in targets]


def _links(record: JobRecord, root_path: str) -> Links:
    own = job_path(record.id, root_path)
    curves = any(metric["name"] == "deletion_insertion" for metric in record.spec.quality)
    return Links(
        self=own,
        events=f"{own}/events",
        result=f"{own}/result",
        overlay=f"{own}/overlay.png",
        path=f"{own}/path" if record.spec.method.get("frames") else None,
        quality=f"{own}/quality.png" if curves else None,
    )
