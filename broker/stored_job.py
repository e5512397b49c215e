"""Reads the parts of a stored job. One that cannot be read gives way to a value that says so.

A record may be damaged, or written by a version of the service that knows more than this one. It must not hide the
other jobs of a listing, nor end the process that meets it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar, get_args

import orjson
from pydantic import ValidationError

from broker.records import JobRecord
from schemas.errors import Unreadable
from schemas.jobs import ClassRef, JobFailure, JobSpec, JobStatus
from schemas.methods import stored_method
from schemas.metric_requests import stored_quality
from schemas.model_key import ModelKey
from schemas.sentences import Sentence, words

T = TypeVar("T")
NOT_READABLE = (ValueError, TypeError, KeyError)  # what reading garbage raises; pydantic's and orjson's are ValueErrors
STATUSES: tuple[str, ...] = get_args(JobStatus)
MODEL_UNKNOWN = ModelKey("unknown", "unknown")


UNREADABLE = JobFailure.of(
    Unreadable("its record is damaged, or of a version of the service that this one cannot read")
)


@lru_cache(maxsize=256)
def readable_spec(text: str | bytes) -> JobSpec:
    """The spec of a job, whose method and metrics this version knows. A job is read again at each of its changes, and
    its spec is the same text each time.

    Raises:
        Unreadable: the text is no such spec; the detail names the field.
    """
    try:
        spec = JobSpec.model_validate_json(text)
        stored_method(spec.method)
        stored_quality(spec.quality)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise Unreadable(
            Sentence(
                "its record is damaged, or of a version of the service that this one cannot read: {where}: {reason}",
                where=where or words("the document"),
                reason=first["type"],
            )
        ) from error
    except NOT_READABLE as error:
        raise Unreadable(UNREADABLE.detail) from error
    return spec


def read_job(job_id: str, fields: Mapping[str, str]) -> JobRecord:
    """A job from the fields of its hash. Never raises: what cannot be read is a default value, and the error
    `unreadable` where it is the spec or the status. A job without a readable status has failed."""
    failure = _readable(fields, "error", JobFailure.model_validate_json, UNREADABLE) if "error" in fields else None
    try:
        spec = readable_spec(fields.get("spec", ""))
    except Unreadable as error:
        spec, failure = _spec_in_place(fields), failure or JobFailure.of(error)
    status = fields.get("status")
    if status not in STATUSES:
        status, failure = "failed", failure or UNREADABLE
    return JobRecord(
        id=job_id,
        spec=spec,
        status=status,
        done=_count(fields, "done"),
        total=_count(fields, "total"),
        created_ms=_time(fields, "created_ms") or 0,
        started_ms=_time(fields, "started_ms"),
        finished_ms=_time(fields, "finished_ms"),
        target=_readable(fields, "target", _target, None),
        error=failure,
        attempts=_count(fields, "attempts"),
    )


def revision_of(fields: Mapping[str, str]) -> int:
    """The revision of a job; 0 where it cannot be read."""
    return _count(fields, "revision")


def _readable(fields: Mapping[str, str], name: str, read: Callable[[str], T], default: T) -> T:
    try:
        return read(fields[name])
    except NOT_READABLE:
        return default


def _count(fields: Mapping[str, str], name: str) -> int:
    value = _readable(fields, name, int, 0)
    return value if 0 <= value < 1 << 53 else 0


def _time(fields: Mapping[str, str], name: str) -> int | None:
    """Milliseconds since the epoch; None where there are none, or none that are a date."""
    value = _readable(fields, name, int, -1)
    return value if 0 <= value < 1 << 47 else None  # beyond lie years of five digits


def _target(text: str) -> list[ClassRef] | None:
    return [ClassRef.model_validate(one) for one in orjson.loads(text)] if text else None


def _spec_in_place(fields: Mapping[str, str]) -> JobSpec:
    """What is known of a job whose spec cannot be read: the model in whose queue it is."""
    model = _readable(fields, "queue", ModelKey.parse, MODEL_UNKNOWN)
    if not str(model).isascii():
        model = MODEL_UNKNOWN
    return JobSpec(model=model.name, version=model.version, input_kind="tensor", examples=0, method={})
