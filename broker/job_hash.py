"""Reads jobs from their Redis hashes, and writes the parts of a hash that are JSON.

Fields of a hash: spec, target, error (JSON), status, done, total, created_ms, started_ms, finished_ms, attempts,
revision. Scripts alone use: queue (model@version), stream, entry (where the job waits), token, starts (who may write),
content, leader, cache, waits_in (whose result it shares, and in which stream it would wait otherwise), inbox,
takes_result (which gateway waits for its end, and whether it wants a small result), ttl_s (how long it is kept).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson

from broker.records import JobRecord, Snapshot
from schemas.errors import ServiceError
from schemas.jobs import ClassRef, JobFailure, JobSpec


def job_from_fields(job_id: str, fields: Mapping[str, str]) -> Snapshot:
    """A job from the fields of its hash."""
    record = JobRecord(
        id=job_id,
        spec=_spec(fields["spec"]),
        status=fields["status"],
        done=int(fields["done"]),
        total=int(fields["total"]),
        created_ms=int(fields["created_ms"]),
        started_ms=_optional_int(fields.get("started_ms")),
        finished_ms=_optional_int(fields.get("finished_ms")),
        target=_target(fields.get("target")),
        error=JobFailure.model_validate_json(fields["error"]) if "error" in fields else None,
        attempts=int(fields["attempts"]),
    )
    return Snapshot(int(fields["revision"]), record)


def job_from_reply(job_id: str, reply: Sequence[bytes]) -> Snapshot:
    """A job from a script's HGETALL: names and values in turn."""
    texts = [part.decode() for part in reply]
    return job_from_fields(job_id, dict(zip(texts[::2], texts[1::2], strict=True)))


def job_from_message(job_id: str, message: bytes) -> Snapshot:
    """A job from a message of its channel: the same list as JSON."""
    texts = orjson.loads(message)
    return job_from_fields(job_id, dict(zip(texts[::2], texts[1::2], strict=True)))


def ended_job(message: bytes) -> tuple[str, Snapshot]:
    """A job's id and the job from a message of an inbox.

    The message is: id, length of the job, length of the result's meta, job, meta, tensors. An empty meta means that no
    result was sent along.
    """
    job_id, job_bytes, meta_bytes, rest = message.split(b" ", 3)
    name, end, meta_end = job_id.decode(), int(job_bytes), int(job_bytes) + int(meta_bytes)
    snapshot = job_from_message(name, rest[:end])
    return name, snapshot._replace(result=(rest[end:meta_end], rest[meta_end:])) if meta_end > end else snapshot


def failure_of(error: ServiceError) -> JobFailure:
    """An error as the record of a job holds it."""
    return JobFailure(code=error.code, title=error.title, detail=error.detail)


def dump_target(target: list[ClassRef] | None) -> bytes:
    """The target as JSON; empty when unknown."""
    return b"" if target is None else orjson.dumps([one.model_dump() for one in target])


@lru_cache(maxsize=256)
def _spec(text: str) -> JobSpec:
    """A job is read again at each of its changes; its spec is the same text each time."""
    return JobSpec.model_validate_json(text)


def _target(text: str | None) -> list[ClassRef] | None:
    return [ClassRef.model_validate(one) for one in orjson.loads(text)] if text else None


def _optional_int(text: str | None) -> int | None:
    return int(text) if text else None
