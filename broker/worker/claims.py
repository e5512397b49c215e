"""Claims jobs for a worker."""

from collections.abc import Mapping
from threading import Event
from time import monotonic
from typing import Any, NamedTuple

import structlog

from broker.records import Claim
from broker.scripts import Argument
from broker.store_errors import store_errors
from broker.stored_job import UNREADABLE, readable_spec
from broker.tuning import BATCH_FIRST_EVERY, MAX_BLOCK_S
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
        self._lease_ms = lease_ms
        self._settings: list[Argument] = [
            worker_id,
            lease_ms,
            max_attempts,
            result_ttl_s,
            _attempts_used_up(max_attempts),
        ]
        self._count = 0

    def take(
        self,
        capacity: Mapping[ModelKey, int],
        block_ms: int,
        last_attempts: int = 1,
        for_batch: Mapping[ModelKey, int] | None = None,
        stop: Event | None = None,
    ) -> list[Claim]:
        """Starts up to `capacity[model]` jobs of each model; waits up to `block_ms` for the first if there is none.

        At most `for_batch[model]` of them are of batch priority; without `for_batch`, all may be. Once `stop` is set,
        none is started any more.

        Jobs whose worker stopped renewing come first, then interactive jobs before batch jobs, except in one claim in
        `BATCH_FIRST_EVERY`. A job that has used up its attempts is failed with `WorkerLost` instead. Of jobs on their
        last attempt at most `last_attempts` are started: one of them may be what kills workers. Without capacity the
        list is empty, and returned at once.
        """
        free = {model: count for model, count in capacity.items() if count > 0}
        deadline = monotonic() + block_ms / 1000
        streams = [stream for model in free for stream in self._streams(model)]
        while free and not (stop and stop.is_set()):
            started, positions = self._start(streams, free, free if for_batch is None else for_batch, last_attempts)
            if started:
                self._count += 1
                return self._with_payloads(started)
            left_s = deadline - monotonic()
            if left_s <= 0:
                break
            self._wait(streams, positions, min(left_s, MAX_BLOCK_S, self._lease_ms / 2000))
        return []

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
    ) -> tuple[list[_Started], list[bytes]]:
        """The jobs that are started now, and, without any, the position in each stream behind which to wait."""
        counts: list[Argument] = [
            part for model, count in capacity.items() for part in (str(model), count, for_batch.get(model, 0))
        ]
        started, positions = self._connection.run(
            "claim",
            [self._keys.unloaded, *streams],
            *self._settings,
            max(0, last_attempts),
            UNREADABLE.model_dump_json(),
            *counts,
        )
        return [_Started(*fields) for fields in started], positions

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


def _attempts_used_up(max_attempts: int) -> str:
    """The failure of a job that has had all its attempts, as JSON."""
    if max_attempts == 1:
        lost = WorkerLost("one worker died while computing it")
    else:
        lost = WorkerLost(Sentence("{count} workers died while computing it", count=max_attempts))
    return JobFailure.of(lost).model_dump_json()
