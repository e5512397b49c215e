"""Results of jobs."""

from typing import Any

import orjson

from broker.gateway.async_connection import AsyncConnection
from broker.gateway.job_id import checked_job_id, missing_if_damaged
from broker.gateway.opened_result import OpenedResult
from broker.records import StoredResult
from broker.stored_job import NOT_READABLE
from schemas.errors import JobHasNoResult, JobNotFound, ResultNotReady
from schemas.jobs import TERMINAL
from schemas.sentences import Sentence


class StoredResults:
    """The results in a store."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    async def get(self, job_id: str) -> StoredResult:
        """The result of a job, its own or the one that it shares, in one piece. Raises as `open`."""
        opened = await self.open(job_id)
        return opened.meta, bytes(await opened.whole())

    async def open(self, job_id: str) -> OpenedResult:
        """The result of a job, its own or the one that it shares, for reading it in parts.

        Raises `JobNotFound`, `ResultNotReady` while it is queued or running, `JobHasNoResult` if it did not succeed.
        """
        own = await self._computed_for(checked_job_id(job_id))
        if own is not None:  # true for most jobs, and takes one round trip
            return own
        async with self._connection.guard(), missing_if_damaged(job_id):
            fields: Any = await self._connection.client.hmget(self._keys.job(job_id), ["status", "leader", "cache"])
        status, leader, cache = (None if field is None else field.decode(errors="replace") for field in fields)
        if status is None:
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        if status not in TERMINAL:
            raise ResultNotReady(Sentence("the job is {status}", status=status))
        if status != "succeeded":
            raise JobHasNoResult(Sentence("the job is {status}", status=status))
        # Without a leader the job may have succeeded between the two reads.
        found = await self._computed_for(leader or job_id)
        if found is None:
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        try:
            return found if leader is None else found.with_meta(shared_meta(found.meta, job_id, cache))
        except NOT_READABLE as error:
            raise JobHasNoResult("the stored result cannot be read (unreadable)") from error

    async def _computed_for(self, job_id: str) -> OpenedResult | None:
        """The result stored under a job's id; None if there is none, as for a job that shares another one's."""
        return await OpenedResult.of(self._connection, self._keys.result(job_id), self._keys.tensors(job_id))


def shared_meta(meta: bytes, job_id: str, cache: str | None) -> bytes:
    """Another job's `ResultMeta` as this job's own, which has computed no rows and, on a hit, has taken no time."""
    document = orjson.loads(meta)
    document |= {"id": job_id, "cache": cache}
    for name, value in document.get("timing", {}).items():
        if cache == "hit" or not name.endswith("_ms"):
            document["timing"][name] = 0 * value if value is not None else None
    return orjson.dumps(document)
