"""What the broker hands out, and how it is read back from Redis."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import orjson
from pydantic import Field

from schemas.base import Record
from schemas.errors import ServiceError
from schemas.jobs import ClassRef, JobFailure, JobSpec, JobStatus
from schemas.model_key import ModelKey
from schemas.models import Residence
from schemas.statistics import WorkerStatistics

FIRST_ORDER = "0-0"  # before any


class JobRecord(Record):
    """A job as stored. Times are milliseconds since the epoch, by the clock of Redis; `done` and `total` are rows."""

    id: str
    spec: JobSpec
    status: JobStatus
    done: int
    total: int
    created_ms: int
    started_ms: int | None = None  # of the latest attempt
    finished_ms: int | None = None
    target: list[ClassRef] | None = None  # set by the worker once known
    error: JobFailure | None = None
    attempts: int


class Claim(Record):
    """A job that a worker has started. `token` proves ownership: a later attempt has another one."""

    job_id: str
    spec: JobSpec
    payload: bytes  # safetensors
    attempt: int
    token: str
    created_ms: int
    started_ms: int


class FinishedJob(NamedTuple):
    """A claimed job's result: `ResultMeta` as JSON, the attributions as a safetensors blob. Unless `reusable` it
    answers no later request: the model has other weights than when the job was queued."""

    claim: Claim
    meta: bytes
    tensors: bytes
    target: list[ClassRef] | None
    reusable: bool = True


StoredResult = tuple[bytes, bytes]  # `ResultMeta` as JSON, and the attributions as a safetensors blob


class WorkerInfo(Record):
    """A worker as announced. `models` are those that take jobs."""

    id: str
    device: str
    host: str
    pid: int
    started_ms: int
    models: list[ModelKey]
    statistics: WorkerStatistics = WorkerStatistics()
    residence: dict[ModelKey, Residence] = Field(default_factory=dict)
    order: str = FIRST_ORDER  # the latest that it has carried out, with all before it


class Content(NamedTuple):
    """What a job's answer depends on: jobs of equal digest have the same. Without `reuse` it is computed anew, and for
    later ones."""

    digest: str
    reuse: bool = True


class Submitted(NamedTuple):
    """A job's id and what became of it: `created` and queued; `known` by its idempotency key; answered at once from an
    earlier result, `hit`; or waiting for the result of a job that is under way, `shared`."""

    job_id: str
    outcome: Literal["created", "known", "hit", "shared"]


class LoadOrder(NamedTuple):
    """The operator wants a model's folders loaded, all versions of it where none is named."""

    model: str
    version: str | None


class Orders(NamedTuple):
    """What the operator has ordered: the id of the latest order, those to load by their ids, and the models,
    that are out of service now."""

    latest: str
    loads: dict[str, LoadOrder]
    unloaded: frozenset[ModelKey]


class Snapshot(NamedTuple):
    """A job at one revision; a later change has a higher one. `result` where it came along."""

    revision: int
    record: JobRecord
    result: StoredResult | None = None


class Waited(NamedTuple):
    """A job that was waited for, ended or as it stands after the time. A small result may come along."""

    record: JobRecord
    result: StoredResult | None = None


def job_from_fields(job_id: str, fields: dict[str, str]) -> Snapshot:
    """A job from its hash.

    Fields: spec, target, error (JSON), status, done, total, created_ms, started_ms, finished_ms, attempts, revision;
    and for the scripts alone: queue, stream, entry (where it waits), token, starts (who may write), content, leader,
    cache, waits_in (whose result it shares, and where it would wait without), inbox, takes_result (who waits for its
    end, and whether for a small result with it), ttl_s (how long it is kept).
    """
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
    """A job's id and itself from a message of an inbox: id, length of the job, length of the result's meta, job, meta,
    tensors. Without a meta no result came along."""
    job_id, job_bytes, meta_bytes, rest = message.split(b" ", 3)
    name, end, meta_end = job_id.decode(), int(job_bytes), int(job_bytes) + int(meta_bytes)
    snapshot = job_from_message(name, rest[:end])
    return name, snapshot._replace(result=(rest[end:meta_end], rest[meta_end:])) if meta_end > end else snapshot


def order_number(order: str) -> tuple[int, int]:
    """Orders by time."""
    ms, _, count = order.partition("-")
    return int(ms), int(count)


def shared_meta(meta: bytes, job_id: str, cache: str) -> bytes:
    """Another job's `ResultMeta` as this job's own: it has computed no rows, and on a hit has taken no time."""
    document = orjson.loads(meta)
    document |= {"id": job_id, "cache": cache}
    for name, value in document.get("timing", {}).items():
        if cache == "hit" or not name.endswith("_ms"):
            document["timing"][name] = 0 * value if value is not None else None
    return orjson.dumps(document)


def failure_of(error: ServiceError) -> JobFailure:
    """An error as a job's record carries it."""
    return JobFailure(code=error.code, title=error.title, detail=error.detail)


def dump_target(target: list[ClassRef] | None) -> bytes:
    """For the hash; empty when unknown."""
    return b"" if target is None else orjson.dumps([one.model_dump() for one in target])


@lru_cache(maxsize=256)
def _spec(text: str) -> JobSpec:
    """A job is read again at each of its changes; its spec is the same text each time."""
    return JobSpec.model_validate_json(text)


def _target(text: str | None) -> list[ClassRef] | None:
    return [ClassRef.model_validate(one) for one in orjson.loads(text)] if text else None


def _optional_int(text: str | None) -> int | None:
    return int(text) if text else None
