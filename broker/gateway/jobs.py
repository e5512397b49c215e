"""Jobs as the gateway handles them: submit, look up, list, watch and cancel."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

from broker.card_names import model_keys
from broker.gateway.admission import QueueBounds, StoreBudget
from broker.gateway.async_connection import AsyncConnection
from broker.gateway.job_changes import changes, ended_within, watched_within
from broker.gateway.job_events import JobEvents
from broker.gateway.job_id import checked_job_id, missing_if_damaged
from broker.job_hash import job_from_reply
from broker.keys import new_job_id
from broker.records import JobRecord, KeyLimit, ListedJob, NewJob, Snapshot, Submitted, Waited
from broker.tuning import MAX_PAGE_JOBS
from schemas.errors import IdempotencyConflict, InvalidRequest, JobNotFound, KeyLimitReached, ModelUnloaded
from schemas.jobs import JobStatus
from schemas.model_key import ModelKey
from schemas.sentences import Sentence

Wait = Callable[[float], Awaitable[Waited]]
CURSOR = re.compile(r"[0-9]{1,16}")


class StoredJobs:
    """The jobs of a store. `bounds`, `cancelled_ttl_s` and `id_ending` are settings of the `JobStore`.

    Attributes:
        budget: how many bytes jobs may take of the store.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        events: JobEvents,
        bounds: QueueBounds,
        cancelled_ttl_s: int,
        id_ending: str = "",
    ) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._events = events
        self._bounds = bounds
        self.budget = StoreBudget(connection, bounds.store_bytes, time.monotonic)
        self._cancelled_ttl_s = cancelled_ttl_s
        self._id_ending = id_ending

    async def submit(self, job: NewJob) -> Submitted:
        """Queues a job.

        Raises:
            Overloaded: the queue has no room for the job, see `QueueBounds`; says for what.
            StoreFull: the store has no room for its result.
            KeyLimitReached: the job would exceed a limit of its owner's key.
            IdempotencyConflict: the key was used with another fingerprint.
            ModelUnloaded: the operator has unloaded the model.
        """
        submitted, _ = await self._submit(self._new_id(), job)
        return submitted

    @asynccontextmanager
    async def submit_and_wait(
        self, job: NewJob, *, takes_result: bool = False
    ) -> AsyncIterator[tuple[Submitted, Wait]]:
        """`submit`, and a function that waits for the end of the job.

        The function takes the longest wait in seconds, returns the job, and raises as `get` does. With `takes_result`
        a small result may be included.
        """
        job_id = self._new_id()
        async with self._events.ending(job_id) as subscription:
            submitted, first = await self._submit(job_id, job, self._events.inbox, takes_result)
            if submitted.record.id == job_id:
                yield submitted, partial(ended_within, first, subscription, self._snapshot)
                return
        yield submitted, partial(self._watched_within, submitted.record.id)  # the job is known by its idempotency key

    async def get(self, job_id: str) -> JobRecord:
        """The job as it stands. Raises `JobNotFound`, also once its TTL has passed."""
        return (await self._snapshot(job_id)).record

    async def page(
        self,
        *,
        status: JobStatus | None = None,
        model: str | None = None,
        version: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        owner: str = "",
    ) -> tuple[list[JobRecord], str | None]:
        """A page of an owner's jobs, newest first, and the cursor of the next one; None after the last.

        `version` is that of the `model` named. Pages follow one another without gaps or repeats whatever is submitted
        meanwhile. One page looks at a bounded number of records, so where many have expired it may hold fewer than
        `limit` (1 to 200) and still have a next one. Raises `InvalidRequest` for a malformed cursor.
        """
        if cursor is not None and not CURSOR.fullmatch(cursor):
            raise InvalidRequest.at(["cursor"], "is not the `next` of a page")
        filters = (status or "", model or "", version or "")
        found, following = await self.listed(filters, cursor, max(1, min(limit, MAX_PAGE_JOBS)), owner)
        return [one.record for one in found], following

    async def listed(
        self, filters: tuple[str, str, str], cursor: str | None, limit: int, owner: str
    ) -> tuple[list[ListedJob], str | None]:
        """As `page`, with the time by which each job is listed. `filters` are a status, a model's name and a version,
        each or empty; the cursor is not checked."""
        keys = [self._keys.index_of(owner), self._keys.queues]
        found, following = await self._connection.run("page", keys, cursor or "", limit, *filters, owner)
        jobs = [
            ListedJob(int(at_us), job_from_reply(job_id.decode(), fields).record) for job_id, fields, at_us in found
        ]
        return jobs, following.decode() or None

    async def cancel(self, job_id: str) -> JobRecord:
        """Ends a job that has not ended; a terminal one stays as it is. Raises `JobNotFound`."""
        keys = [self._keys.job(checked_job_id(job_id)), self._keys.cancelled]
        fields = await self._connection.run("cancel", keys, job_id, self._cancelled_ttl_s)
        if not fields:
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        return job_from_reply(job_id, fields).record

    async def check_owner(self, job_id: str, owner: str) -> None:
        """Raises `JobNotFound` unless the job is this owner's. Others' jobs and those that do not exist look alike."""
        async with self._connection.guard(), missing_if_damaged(job_id):
            found: Any = await self._connection.client.hget(self._keys.job(checked_job_id(job_id)), "owner")
        if found != owner.encode():
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))

    async def payload(self, job_id: str) -> bytes:
        """The input as submitted, a safetensors blob. Raises `JobNotFound`."""
        (blob,) = await self._connection.values([self._keys.payload(checked_job_id(job_id))])
        if blob is None:
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        return blob

    async def payload_bytes(self, job_id: str) -> int:
        """The size of the input as submitted; 0 if there is no such job."""
        async with self._connection.guard():
            return int(await self._connection.client.strlen(self._keys.payload(checked_job_id(job_id))))

    @asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[AsyncIterator[JobRecord]]:
        """The job now, then after each change, until it is terminal.

        No change of status is left out; a slow reader gets the latest of several changes of progress. A connection
        that breaks is renewed in the background; an outage longer than `timeout_s` raises `StoreUnavailable` from the
        iteration, a job that has expired `JobNotFound`. Entering raises both as `get` does.
        """
        async with self._events.subscribe(checked_job_id(job_id)) as subscription:
            first = await self._snapshot(job_id)
            async with aclosing(changes(first, subscription, self._snapshot)) as records:
                yield records

    async def backlog(self) -> dict[ModelKey, int]:
        """Jobs that wait or run, by model; 0 for a model that has had some."""
        async with self._connection.guard():
            names: Any = await self._connection.client.smembers(self._keys.queues)
            models = sorted(model_keys(names))
            async with self._connection.client.pipeline(transaction=False) as pipeline:
                for model in models:
                    for stream in self._keys.streams(model):
                        pipeline.xlen(stream)
                lengths = iter(await pipeline.execute())
        return {model: sum(next(lengths) for _ in self._keys.streams(model)) for model in models}

    def _new_id(self) -> str:
        return new_job_id() + self._id_ending

    def _submission_keys(self, job_id: str, job: NewJob) -> list[str]:
        """The keys that the script `submit` uses, in its order."""
        model = ModelKey(job.spec.model, job.spec.version)
        own_stream = self._keys.stream(model, job.spec.priority)
        (other_stream,) = (stream for stream in self._keys.streams(model) if stream != own_stream)
        return [
            self._keys.job(job_id),
            self._keys.payload(job_id),
            own_stream,
            other_stream,
            self._keys.unloaded,
            self._keys.queues,
            self._keys.index_of(job.spec.owner),
            self._keys.idempotency(job.idempotency.key, job.spec.owner) if job.idempotency else "",
            self._keys.comparison(job.comparison) if job.comparison else "",
        ]

    async def _submit(
        self, job_id: str, job: NewJob, inbox: str = "", takes_result: bool = False
    ) -> tuple[Submitted, Snapshot]:
        model = ModelKey(job.spec.model, job.spec.version)
        outcome, value, *fields = await self._connection.run(
            "submit",
            self._submission_keys(job_id, job),
            job_id,
            job.spec.model_dump_json(),
            str(model),
            job.rows,
            self._bounds.depth,
            job.payload,
            job.idempotency.fingerprint if job.idempotency else "",
            job.content.digest if job.content else "",
            int(job.content is not None and job.content.reuse),
            int(job.spec.priority == "batch"),
            inbox,
            int(takes_result),
            job.result_bytes,
            *self._bounds.arguments(await self.budget.bytes()),
            job.spec.owner,
            job.limits.rows_per_minute or 0,
            job.limits.queued_rows or 0,
        )
        match outcome.decode():
            case "full":
                what, scope = (part.decode() for part in fields)
                raise self._bounds.refusal(what, scope, value)
            case "rows_per_minute" | "queued_rows" as limit:
                raise KeyLimitReached(_limit_reached(limit, job), retry_after_s=value)
            case "unloaded":
                raise ModelUnloaded(Sentence("the model {model} is unloaded", model=model))
            case "conflict":
                raise IdempotencyConflict("this Idempotency-Key was used with another request")
            case accepted:
                snapshot = job_from_reply(value.decode(), fields[0])
                return Submitted(snapshot.record, accepted), snapshot

    async def _watched_within(self, job_id: str, wait_s: float) -> Waited:
        async with self.watch(job_id) as records:
            return await watched_within(records, wait_s)

    async def _snapshot(self, job_id: str) -> Snapshot:
        key = self._keys.job(checked_job_id(job_id))
        async with self._connection.guard(), missing_if_damaged(job_id):
            fields: dict[Any, Any] = await self._connection.client.hgetall(key)
        if not fields:
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        return job_from_reply(job_id, [part for pair in fields.items() for part in pair])


def _limit_reached(limit: KeyLimit, job: NewJob) -> str:
    """Names the limit, for the client."""
    if limit == "rows_per_minute":
        allowed = Sentence("{rows} rows of new jobs a minute", rows=job.limits.rows_per_minute)
    else:
        allowed = Sentence("{rows} rows of jobs that have not ended", rows=job.limits.queued_rows)
    return Sentence(
        "{limit}: the key {key} may have {allowed}, and this job takes {rows}",
        limit=limit,
        key=job.spec.owner,
        allowed=allowed,
        rows=job.rows,
    )
