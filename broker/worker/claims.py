"""Claims jobs for a worker."""

from collections.abc import Callable, Iterable, Mapping
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

import structlog

from broker.records import Claim, WorkAhead
from broker.scripts import Argument
from broker.store_errors import store_errors
from broker.stored_job import UNREADABLE, readable_spec
from broker.tuning import BATCH_FIRST_EVERY, CLAIM_SLACK_MS, MAX_BLOCK_S, TELL_S
from broker.worker.claimed_jobs import ClaimedJobs
from broker.worker.sync_connection import SyncConnection
from schemas.errors import JobFailed, Unreadable, WorkerLost
from schemas.jobs import JobFailure
from schemas.model_key import ModelKey
from schemas.sentences import Sentence

log = structlog.get_logger(__name__)


class _Started(NamedTuple):
    """A job as the script `claim` returns it; `payload` is None where it is large or missing."""

    job_id: bytes
    spec: bytes
    attempt: int
    token: bytes
    created_ms: int
    started_ms: int
    payload: bytes | None


class Claims:
    """Claims jobs of several models.

    A claimed job is leased for `lease_ms`: unless it is renewed it goes to another worker, and this one can write
    nothing about it any more.
    """

    def __init__(
        self,
        connection: SyncConnection,
        claimed_jobs: ClaimedJobs,
        worker_id: str,
        lease_ms: int,
        result_ttl_s: int,
        max_attempts: int,
    ) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._claimed_jobs = claimed_jobs
        self._worker_id = worker_id
        self._lease_ms = lease_ms
        self._settings: list[Argument] = [
            worker_id,
            lease_ms,
            max_attempts,
            result_ttl_s,
            _attempts_used_up(max_attempts),
        ]
        self._count = 0
        self._told_s = 0.0  # when the others were told last what this worker has to compute, by `monotonic`

    def take(
        self,
        capacity: Mapping[ModelKey, int],
        block_ms: int,
        last_attempts: int = 1,
        for_batch: Mapping[ModelKey, int] | None = None,
        stop: Event | None = None,
        *,
        is_idle: bool = False,
        ahead: Callable[[], WorkAhead] = WorkAhead,
    ) -> list[Claim]:
        """Starts up to `capacity[model]` jobs of each model; waits up to `block_ms` for the first if there is none.

        At most `for_batch[model]` of them are of batch priority; without `for_batch`, all may be. Once `stop` is set,
        none is started any more.

        Jobs whose worker stopped renewing come first, then interactive jobs before batch jobs, except in one claim in
        `BATCH_FIRST_EVERY`. A job that has used up its attempts is failed with `WorkerLost` instead. Of jobs on their
        last attempt at most `last_attempts` are started: one of them may be what kills workers. Without capacity the
        list is empty, and returned at once. A worker that `is_idle` has no job; while it finds none, the others know.

        A job is left to another worker that looks for one and would end it sooner. `ahead` tells what this one has to
        compute before.
        """
        free = {model: count for model, count in capacity.items() if count > 0}
        deadline = monotonic() + block_ms / 1000
        streams = [stream for model in free for stream in self._streams(model)]
        while free and not (stop and stop.is_set()):
            batch = free if for_batch is None else for_batch
            started, positions, left_some = self._start(streams, free, batch, last_attempts, is_idle, ahead())
            if started:
                self._count += 1
                return self._with_payloads(started)
            left_s = deadline - monotonic()
            if left_s <= 0:
                break
            # What was left to another worker must not wait for long if that one does not come for it. By then this one
            # has computed at most what it has ahead of the other.
            most_s = CLAIM_SLACK_MS / 1000 if left_some else MAX_BLOCK_S
            self._wait(streams, positions, min(left_s, most_s, self._lease_ms / 2000))
        return []

    def tell(self, models: Iterable[ModelKey], ahead: Callable[[], WorkAhead]) -> None:
        """Tells the other workers what this one, which has no capacity, has to compute, if they were not told lately.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if monotonic() - self._told_s >= TELL_S:
            full = dict.fromkeys(models, 0)
            self._start([stream for model in full for stream in self._streams(model)], full, {}, 0, False, ahead())

    def leave(self, models: Iterable[ModelKey]) -> None:
        """Tells the other workers of these models that this one looks for no more jobs.

        Raises:
            StoreUnavailable: Redis is away; they find out by themselves soon.
        """
        with store_errors(), self._connection.client.pipeline(transaction=False) as pipeline:
            for model in models:
                pipeline.hdel(self._keys.claimers(str(model)), self._worker_id)
            pipeline.execute()

    def _streams(self, model: ModelKey) -> list[str]:
        """Every stream of a model, first served first."""
        streams = self._keys.streams(model)
        return streams[::-1] if self._count % BATCH_FIRST_EVERY == BATCH_FIRST_EVERY - 1 else streams

    def _start(
        self,
        streams: list[str],
        capacity: Mapping[ModelKey, int],
        for_batch: Mapping[ModelKey, int],
        last_attempts: int,
        is_idle: bool,
        ahead: WorkAhead,
    ) -> tuple[list[_Started], list[bytes], bool]:
        """The jobs that are started now; without any, the position in each stream behind which to wait; and whether
        jobs wait that were left to other workers."""
        counts: list[Argument] = [
            part
            for model, count in capacity.items()
            for part in (
                str(model),
                count,
                for_batch.get(model, 0),
                _us(ahead.load_s.get(model, 0.0)),
                _us(ahead.row_s.get(model, 0.0)),
            )
        ]
        self._told_s = monotonic()
        started, positions, left_some = self._connection.run(
            "claim",
            [self._keys.unloaded, *streams],
            *self._settings,
            max(0, last_attempts),
            UNREADABLE.model_dump_json(),
            f"{int(is_idle)} {_us(ahead.interactive_s)} {_us(ahead.all_s)}",
            *counts,
        )
        return [_Started(*fields) for fields in started], positions, bool(left_some)

    def _wait(self, streams: list[str], positions: list[bytes], wait_s: float) -> None:
        """Waits until an entry is added behind these positions, without taking it."""
        block_ms = max(1, int(wait_s * 1000))
        with store_errors():
            self._connection.blocking.xread(dict(zip(streams, positions, strict=True)), count=1, block=block_ms)

    def _with_payloads(self, started: list[_Started]) -> list[Claim]:
        """The claims with their inputs; a job whose spec cannot be read or whose input is missing (evicted, deleted) is
        failed."""
        payloads = self._large_payloads([one.job_id for one in started if one.payload is None])
        claims = []
        for one in started:
            payload = payloads.get(one.job_id) if one.payload is None else one.payload
            try:
                spec = readable_spec(one.spec)
            except Unreadable as error:
                log.warning("job_unreadable", job=one.job_id.decode(), reason=error.detail)
                self._claimed_jobs.fail_alone(one.job_id.decode(), one.token.decode(), JobFailure.of(error))
                continue
            claim = Claim(
                job_id=one.job_id.decode(),
                spec=spec,
                payload=payload or b"",
                attempt=one.attempt,
                token=one.token.decode(),
                created_ms=one.created_ms,
                started_ms=one.started_ms,
            )
            if payload is None:
                self._claimed_jobs.fail(claim, JobFailure.of(JobFailed("the input is no longer stored")))
                continue
            if claim.attempt > 1:
                log.info("job_taken_over", job=claim.job_id, attempt=claim.attempt)
            claims.append(claim)
        return claims

    def _large_payloads(self, job_ids: list[bytes]) -> dict[bytes, bytes | None]:
        if not job_ids:
            return {}
        with store_errors():
            blobs: Any = self._connection.client.mget([self._keys.payload(job_id.decode()) for job_id in job_ids])
        return dict(zip(job_ids, blobs, strict=True))


def _us(seconds: float) -> int:
    """Microseconds, a whole number; 0 stays apart from very little."""
    return max(1, round(1e6 * seconds)) if seconds > 0 else 0


def _attempts_used_up(max_attempts: int) -> str:
    """The failure of a job that has had all its attempts, as JSON."""
    if max_attempts == 1:
        lost = WorkerLost("one worker died while computing it")
    else:
        lost = WorkerLost(Sentence("{count} workers died while computing it", count=max_attempts))
    return JobFailure.of(lost).model_dump_json()
