"""Reads jobs from their Redis hashes, and writes the parts of a hash that are JSON.

Fields of a hash: spec, target, error (JSON), status, done, total, created_ms, started_ms, finished_ms, attempts,
revision. Scripts alone use: queue (model@version), stream, entry (where the job waits), token, starts (who may write),
content, leader, cache, waits_in (whose result it shares, and in which stream it would wait otherwise), inbox,
takes_result (which gateway waits for its end, and whether it wants a small result), ttl_s (how long it is kept), owner,
charged (whose job it is, and the rows that count against its key until it ends), comparison (the key of the one to
which it belongs).
"""

from collections.abc import Mapping, Sequence

import orjson

from broker.records import Snapshot
from broker.stored_job import read_job, revision_of
from schemas.jobs import ClassRef


def job_from_fields(job_id: str, fields: Mapping[str, str]) -> Snapshot:
    """A job from the fields of its hash, as far as they can be read (see `read_job`)."""
    return Snapshot(revision_of(fields), read_job(job_id, fields))


def job_from_reply(job_id: str, reply: Sequence[bytes]) -> Snapshot:
    """A job from a script's HGETALL: names and values in turn. Bytes that are no text make their field unreadable."""
    texts = [part.decode(errors="surrogateescape") for part in reply]
    return job_from_fields(job_id, dict(zip(texts[::2], texts[1::2], strict=True)))


def job_from_message(job_id: str, message: bytes) -> Snapshot:
    """A job from a message of its channel: the same list as JSON.

    Raises:
        ValueError: the message is no such list; bytes that are no text are enough for that.
    """
    texts = orjson.loads(message)
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise ValueError("the message is no list of texts")
    return job_from_fields(job_id, dict(zip(texts[::2], texts[1::2], strict=True)))


def ended_job(message: bytes) -> tuple[str, Snapshot]:
    """A job's id and the job from a message of an inbox.

    The message is: id, length of the job, length of the result's meta, job, meta, tensors. An empty meta means that no
    result was sent along.

    Raises:
        ValueError: the message is not of this form.
    """
    job_id, job_bytes, meta_bytes, rest = message.split(b" ", 3)
    name, end, meta_end = job_id.decode(), int(job_bytes), int(job_bytes) + int(meta_bytes)
    snapshot = job_from_message(name, rest[:end])
    return name, snapshot._replace(result=(rest[end:meta_end], rest[meta_end:])) if meta_end > end else snapshot


def dump_target(target: list[ClassRef] | None) -> bytes:
    """The target as JSON; empty when unknown."""
    return b"" if target is None else orjson.dumps([one.model_dump() for one in target])
