"""Jobs as they lie in Redis."""

import orjson
import pytest

from broker.job_hash import dump_target, ended_job, job_from_fields, job_from_message, job_from_reply
from schemas.jobs import ClassRef
from tests.broker.helpers import spec

TARGET = [ClassRef(index=285, label="Egyptian cat"), ClassRef(index=2, position=[3, 4])]
FIELDS = {
    "spec": spec().model_dump_json(),
    "status": "running",
    "done": "3",
    "total": "52",
    "created_ms": "10",
    "started_ms": "20",
    "attempts": "2",
    "revision": "7",
    "target": dump_target(TARGET).decode(),
    "stream": "of no interest here",
}
PARTS = [part for pair in FIELDS.items() for part in pair]


def test_the_three_forms_of_a_hash_read_alike() -> None:
    snapshot = job_from_fields("j", FIELDS)
    assert (snapshot.revision, snapshot.record.done, snapshot.record.attempts) == (7, 3, 2)
    assert (snapshot.record.spec, snapshot.record.target) == (spec(), TARGET)
    assert (snapshot.record.started_ms, snapshot.record.finished_ms, snapshot.record.error) == (20, None, None)
    assert job_from_reply("j", [part.encode() for part in PARTS]) == snapshot
    assert job_from_message("j", orjson.dumps(PARTS)) == snapshot


@pytest.mark.parametrize("result", [None, (b'{"id": "j"}', b""), (b"{}", b"\x00 1 2 \xff")])
def test_an_inbox_message_may_hold_a_result(result: tuple[bytes, bytes] | None) -> None:
    text = orjson.dumps(PARTS)
    meta, tensors = result or (b"", b"")
    job_id, snapshot = ended_job(b"j %d %d " % (len(text), len(meta)) + text + meta + tensors)
    assert (job_id, snapshot.record.id, snapshot.result) == ("j", "j", result)


def test_an_unknown_target_is_empty() -> None:
    assert dump_target(None) == b""
