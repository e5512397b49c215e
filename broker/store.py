"""The gateway's side of the broker: submit, look, wait, cancel."""

import asyncio
import builtins
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any

from broker import scripts
from broker.card_names import CardName, best_card, card_names
from broker.connection import StoreGuard, async_client
from broker.events import JobEvents, Subscription
from broker.keys import Keys, new_job_id
from broker.records import (
    Content,
    JobRecord,
    Snapshot,
    StoredResult,
    Submitted,
    Waited,
    WorkerInfo,
    job_from_reply,
    order_number,
    shared_meta,
)
from schemas.errors import (
    IdempotencyConflict,
    InvalidRequest,
    JobHasNoResult,
    JobNotFound,
    ModelNotFound,
    ModelUnloaded,
    Overloaded,
    ResultNotReady,
)
from schemas.jobs import TERMINAL, JobSpec, JobStatus
from schemas.model_key import ModelKey
from schemas.models import ModelCard

IDEMPOTENCY_TTL_S = 24 * 3600
MAX_PAGE = 200  # jobs
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
Wait = Callable[[float], Awaitable[Waited]]
CURSOR = re.compile(r"[0-9]{1,16}")


class JobStore:
    """Jobs in Redis, for one event loop.

    Every method raises `StoreUnavailable` within `timeout_s` when Redis is away, and `StoreFull` when it refuses to
    store for want of memory. A call that failed so may be repeated; only `submit` needs an idempotency key for it.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "attribution",
        queue_depth: int = 1000,
        timeout_s: float = 2.0,
        result_ttl_s: int = 3600,
    ) -> None:
        self._keys = Keys(namespace)
        self._queue_depth = queue_depth  # jobs of one queue, waiting and running
        self._timeout_s = timeout_s
        self._result_ttl_s = result_ttl_s  # of jobs cancelled here; workers set it for the others
        self._client = async_client(url, timeout_s)
        self._events = JobEvents(self._client.connection_pool.make_connection, self._keys, timeout_s)

    async def submit(
        self,
        spec: JobSpec,
        payload: bytes,
        *,
        rows: int,
        idempotency: tuple[str, str] | None = None,
        content: Content | None = None,
    ) -> Submitted:
        """Queue a job: its id, and what became of it.

        `rows` is the work expected, the job's `total` until the worker knows. `idempotency` is a client's key and a
        fingerprint of the request; the key is remembered for a day, or as long as its job is kept. With `content` a job
        whose like is being computed, or was and is still kept, shares that result; it is a job of its own all the same.

        Raises:
            Overloaded: the queue of this model holds `queue_depth` jobs.
            IdempotencyConflict: the key was used with another fingerprint.
            ModelUnloaded: the operator has taken the model out of service.
        """
        return (await self._submit(new_job_id(), spec, payload, rows, idempotency, content))[0]

    @asynccontextmanager
    async def submit_and_wait(
        self,
        spec: JobSpec,
        payload: bytes,
        *,
        rows: int,
        idempotency: tuple[str, str] | None = None,
        content: Content | None = None,
        takes_result: bool = False,
    ) -> AsyncIterator[tuple[Submitted, Wait]]:
        """`submit`, and a function that waits so many seconds for the job's end and returns the job, ended or as it
        then stands; with `takes_result` a small result may come along. The function raises as `get` does."""
        job_id = new_job_id()
        async with self._events.ending(job_id) as subscription:
            submitted, first = await self._submit(
                job_id, spec, payload, rows, idempotency, content, self._events.inbox, takes_result
            )
            if submitted.job_id == job_id:
                yield submitted, partial(self._ended_within, first, subscription)
                return
        yield submitted, partial(self._watched_within, submitted.job_id)  # known by its idempotency key

    async def _ended_within(self, latest: Snapshot, subscription: Subscription, wait_s: float) -> Waited:
        try:
            async with asyncio.timeout(wait_s):
                while latest.record.status not in TERMINAL:
                    latest = await subscription.next() or await self._snapshot(latest.record.id)
        except TimeoutError:
            latest = await self._snapshot(latest.record.id)
        return Waited(latest.record, latest.result)

    async def _watched_within(self, job_id: str, wait_s: float) -> Waited:
        async with self.watch(job_id) as changes:
            latest = await anext(changes)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    async for change in changes:
                        latest = change
        return Waited(latest)

    async def _submit(
        self,
        job_id: str,
        spec: JobSpec,
        payload: bytes,
        rows: int,
        idempotency: tuple[str, str] | None,
        content: Content | None,
        inbox: str = "",
        takes_result: bool = False,
    ) -> tuple[Submitted, Snapshot]:
        queue = ModelKey(spec.model, spec.version)
        own = self._keys.stream(queue, spec.priority)
        other = next(stream for stream in self._keys.streams(queue) if stream != own)
        key, fingerprint = idempotency or ("", "")
        outcome, value, *fields = await self._run(
            "submit",
            job_id,
            spec.model_dump_json(),
            str(queue),
            own,
            other,
            rows,
            self._queue_depth,
            payload,
            self._keys.idempotency(key) if idempotency else "",
            fingerprint,
            IDEMPOTENCY_TTL_S,
            content.digest if content else "",
            int(content is not None and content.reuse),
            int(spec.priority == "batch"),
            inbox,
            int(takes_result),
        )
        if outcome == b"full":
            raise Overloaded(f"the queue of {queue} holds {self._queue_depth} jobs", retry_after_s=value)
        if outcome == b"unloaded":
            raise ModelUnloaded(f"the model {queue} is unloaded")
        if outcome == b"conflict":
            raise IdempotencyConflict("this Idempotency-Key was used with another request")
        submitted = Submitted(value.decode(), outcome.decode())
        return submitted, job_from_reply(submitted.job_id, fields[0])

    async def get(self, job_id: str) -> JobRecord:
        """The job as it stands. Raises `JobNotFound`, also once its TTL has passed."""
        return (await self._snapshot(job_id)).record

    async def list(
        self,
        *,
        status: JobStatus | None = None,
        model: str | None = None,
        version: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[builtins.list[JobRecord], str | None]:
        """A page of jobs, newest first, and the cursor of the next one; None after the last.

        `version` is that of the `model` named. Pages follow one another without gaps or repeats whatever is submitted
        meanwhile. One page looks at 5,000 jobs at most, so under a filter it may hold fewer than `limit` (1 to 200)
        and still have a next. Raises `InvalidRequest` for a cursor that is none.
        """
        if cursor is not None and not CURSOR.fullmatch(cursor):
            raise InvalidRequest.at(["cursor"], "is not the `next` of a page")
        limit = max(1, min(limit, MAX_PAGE))
        found, following = await self._run("page", cursor or "", limit, status or "", model or "", version or "")
        jobs = [job_from_reply(job_id.decode(), fields).record for job_id, fields in found]
        return jobs, following.decode() or None

    async def cancel(self, job_id: str) -> JobRecord:
        """End a job that has not ended; a terminal one stays as it is. Raises `JobNotFound`."""
        fields = await self._run("cancel", self._checked(job_id), self._result_ttl_s)
        if not fields:
            raise JobNotFound(f"no job {job_id}")
        return job_from_reply(job_id, fields).record

    async def payload(self, job_id: str) -> bytes:
        """The input as submitted, a safetensors blob. Raises `JobNotFound`."""
        key = self._keys.payload(self._checked(job_id))
        async with StoreGuard(self._timeout_s):
            blob: Any = await self._client.get(key)
        if blob is None:
            raise JobNotFound(f"no job {job_id}")
        return bytes(blob)

    async def result(self, job_id: str) -> StoredResult:
        """What the worker has handed in for it.

        Raises `JobNotFound`, `ResultNotReady` while it is queued or running, `JobHasNoResult` if it did not succeed.
        """
        own = await self._own_result(self._checked(job_id))
        if own is not None:  # as most jobs have: one command
            return own
        async with StoreGuard(self._timeout_s):
            fields: Any = await self._client.hmget(self._keys.job(job_id), ["status", "leader", "cache"])
        status, leader, cache = fields
        if status is None:
            raise JobNotFound(f"no job {job_id}")
        if status.decode() not in TERMINAL:
            raise ResultNotReady(f"the job is {status.decode()}")
        if status != b"succeeded":
            raise JobHasNoResult(f"the job is {status.decode()}")
        # Without a leader it may have succeeded between the two looks.
        found = await self._own_result(job_id if leader is None else leader.decode())
        if found is None:
            raise JobNotFound(f"no job {job_id}")
        meta, tensors = found
        return (meta if leader is None else shared_meta(meta, job_id, cache.decode())), tensors

    async def _own_result(self, job_id: str) -> StoredResult | None:
        """What is stored under a job's own name: there once it has succeeded, if it was computed for itself."""
        meta, tensors = await self._values([self._keys.result(job_id), self._keys.tensors(job_id)])
        return None if meta is None or tensors is None else (meta, tensors)

    @asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[AsyncIterator[JobRecord]]:
        """The job now, then after each change, until it is terminal.

        No change of status is left out; a slow reader gets the latest of several changes of progress. A connection
        that breaks is renewed behind the scene; an outage longer than `timeout_s` raises `StoreUnavailable` from the
        iteration, a job that is gone `JobNotFound`. Entering raises both as `get` does.
        """
        async with self._events.subscribe(self._checked(job_id)) as subscription:
            first = await self._snapshot(job_id)
            async with aclosing(self._changes(job_id, first, subscription)) as changes:
                yield changes

    async def _changes(
        self, job_id: str, first: Snapshot, subscription: Subscription
    ) -> AsyncGenerator[JobRecord, None]:
        latest = first
        yield latest.record
        while latest.record.status not in TERMINAL:
            snapshot = await subscription.next() or await self._snapshot(job_id)
            if snapshot.revision > latest.revision:
                latest = snapshot
                yield latest.record

    async def load(self, name: str, version: str | None = None) -> str:
        """Order the workers to load a model's folders, all versions where none is named; returns the order's id."""
        order: bytes = await self._run("admin_command", "load", name, version or "")
        return order.decode()

    async def unload(self, name: str, versions: builtins.list[str]) -> str:
        """Take versions of a model out of service: from now on no job for them is queued or started, and those that
        wait are failed by the workers. Returns the order's id."""
        queues = [str(ModelKey(name, version)) for version in versions]
        order: bytes = await self._run("admin_command", "unload", name, "", *queues)
        return order.decode()

    async def carried_out(self, order: str) -> bool:
        """Whether every live worker has carried the order out; not, when there is none."""
        workers = await self.workers()
        return bool(workers) and all(order_number(one.order) >= order_number(order) for one in workers)

    async def cards(self) -> builtins.list[ModelCard]:
        """Every model that a worker has announced within a minute, by name and version; the ready card where some
        workers loaded it and others failed."""
        names = await self._card_names()
        blobs = await self._values([self._keys.card(str(name)) for name in names])
        return [name.shown(blob) for name, blob in zip(names, blobs, strict=True) if blob is not None]

    async def card(self, name: str, version: str | None = None) -> ModelCard:
        """One model; without a version the highest that takes jobs, or, if none does, the highest.

        Raises `ModelNotFound`.
        """
        chosen = best_card(await self._card_names(), name, version)
        blob = (await self._values([self._keys.card(str(chosen))]))[0] if chosen else None
        if chosen is None or blob is None:
            raise ModelNotFound(f"no model {name}" + (f" of version {version}" if version else ""))
        return chosen.shown(blob)

    async def workers(self) -> builtins.list[WorkerInfo]:
        """The workers that announced themselves within the last seconds, by id."""
        names = sorted(await self._registry(self._keys.workers))
        blobs = await self._values([self._keys.worker(name) for name in names])
        return [WorkerInfo.model_validate_json(blob) for blob in blobs if blob is not None]

    async def backlog(self) -> dict[ModelKey, int]:
        """Jobs per model, waiting and running; 0 for a model that has had some."""
        async with StoreGuard(self._timeout_s):
            names: set[Any] = await self._client.smembers(self._keys.queues)
            queues = sorted(ModelKey.parse(name.decode()) for name in names)
            async with self._client.pipeline(transaction=False) as pipeline:
                for queue in queues:
                    for stream in self._keys.streams(queue):
                        pipeline.xlen(stream)
                lengths = await pipeline.execute()
        per_queue = len(lengths) // len(queues) if queues else 0
        return {queue: sum(lengths[i * per_queue : (i + 1) * per_queue]) for i, queue in enumerate(queues)}

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless Redis answers."""
        async with StoreGuard(self._timeout_s):
            await self._client.ping()

    async def close(self) -> None:
        """Give up every connection; watches end with `StoreUnavailable`."""
        await self._events.close()
        await self._client.aclose()

    async def _snapshot(self, job_id: str) -> Snapshot:
        async with StoreGuard(self._timeout_s):
            fields: dict[Any, Any] = await self._client.hgetall(self._keys.job(self._checked(job_id)))
        if not fields:
            raise JobNotFound(f"no job {job_id}")
        return job_from_reply(job_id, [part for pair in fields.items() for part in pair])

    async def _card_names(self) -> builtins.list[CardName]:
        async with StoreGuard(self._timeout_s), self._client.pipeline(transaction=False) as pipeline:
            pipeline.zrange(self._keys.cards, 0, -1)
            pipeline.smembers(self._keys.unloaded)
            members, unloaded = await pipeline.execute()
        return card_names(
            (member.decode() for member in members), {ModelKey.parse(queue.decode()) for queue in unloaded}
        )

    async def _registry(self, key: str) -> builtins.list[str]:
        async with StoreGuard(self._timeout_s):
            members: Any = await self._client.zrange(key, 0, -1)
        return [member.decode() for member in members]

    async def _values(self, keys: builtins.list[str]) -> builtins.list[bytes | None]:
        """The value of each key, None where it has expired."""
        if not keys:
            return []
        async with StoreGuard(self._timeout_s):
            blobs: Any = await self._client.mget(keys)
        return list(blobs)

    async def _run(self, script: str, *arguments: scripts.Argument) -> Any:
        async with StoreGuard(self._timeout_s):
            return await scripts.run_async(self._client, script, self._keys.for_scripts, *arguments)

    @staticmethod
    def _checked(job_id: str) -> str:
        """What no job can be called is not looked for."""
        if not JOB_ID.fullmatch(job_id):
            raise JobNotFound("no such job")
        return job_id
