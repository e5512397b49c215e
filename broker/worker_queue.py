"""The worker's side of the broker: claim, keep, report, finish."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

import orjson
import structlog

from broker import scripts
from broker.cancellations import listen
from broker.card_names import name_of
from broker.connection import store_errors, sync_client
from broker.keys import Keys
from broker.records import FIRST_ORDER, Claim, FinishedJob, LoadOrder, Orders, WorkerInfo, dump_target, failure_of
from schemas.errors import JobFailed, StoreFull, UnloadedMeanwhile, WorkerLost
from schemas.jobs import ClassRef, JobFailure, JobSpec
from schemas.model_key import ModelKey
from schemas.models import ModelCard

log = structlog.get_logger(__name__)

WORKER_TTL_MS = 10_000
CARD_TTL_MS = 60_000
LONGEST_WAIT_S = 0.5  # between two looks at lapsed leases while nothing is submitted
REFUSED_AT_ONCE = 100  # by one script, so that none takes long
SMALL_BYTES = 65_536  # of tensors: a script that takes them as an argument is done before another command is written
HANDED_TTL_S = 60  # of tensors whose worker is lost before its script ran
NOT_HANDED = -1  # what `finish` answers where the tensors did not come before it
BATCH_FIRST_EVERY = 8  # of so many claims one is offered the batch stream first, so that it never starves


class WorkerQueue:
    """Jobs in Redis, for one worker; any of its threads may call any method, `claim` one at a time.

    A claimed job is leased for `lease_ms`: unless renewed it goes to another worker, and this one can write nothing
    about it any more. Every method raises `StoreUnavailable` when Redis is away; the caller tries again. Only `finish`
    raises `StoreFull`: what frees memory goes on when there is none.
    """

    def __init__(
        self,
        url: str,
        worker_id: str,
        *,
        namespace: str = "attribution",
        lease_ms: int = 8000,
        result_ttl_s: int = 3600,
        max_attempts: int = 3,
        timeout_s: float = 5.0,
    ) -> None:
        self._keys = Keys(namespace)
        self._worker_id = worker_id
        self._lease_ms = lease_ms
        self._result_ttl_s = result_ttl_s
        self._max_attempts = max_attempts
        self._worn_out = _worn_out(max_attempts)
        self._timeout_s = timeout_s
        self._client = sync_client(url, timeout_s)
        self._waiting = sync_client(url, LONGEST_WAIT_S + timeout_s)  # Redis answers a blocked read that late
        self._turn = 0
        self._announced: frozenset[str] = frozenset()  # names of cards
        self._unloaded = failure_of(UnloadedMeanwhile("the model was unloaded before the job began")).model_dump_json()

    def announce(self, info: WorkerInfo, cards: list[ModelCard]) -> None:
        """Heartbeat: say who is here and which models it holds. Forgotten after 10 s, the cards after 60 s."""
        by_name = {str(name_of(card)): card.model_dump_json() for card in cards}
        gone = orjson.dumps(sorted(self._announced - by_name.keys()))
        named = [part for pair in by_name.items() for part in pair]
        self._run("announce", self._worker_id, info.model_dump_json(), WORKER_TTL_MS, CARD_TTL_MS, gone, *named)
        self._announced = frozenset(by_name)

    def retire(self) -> None:
        """Leave the registry now. The cards stay for their time: other workers may hold the same models."""
        with store_errors():
            self._client.zrem(self._keys.workers, self._worker_id)
            self._client.delete(self._keys.worker(self._worker_id))

    def claim(self, room: Mapping[ModelKey, int], block_ms: int, last_attempts: int = 1) -> list[Claim]:
        """Start up to `room[model]` jobs of each model; wait up to `block_ms` for the first if there is none.

        First those whose worker stopped renewing, then interactive before batch, except for every eighth claim. A job
        that has used up its attempts is failed with `WorkerLost` instead. Of jobs on their last attempt at most
        `last_attempts` are started: one of them may be what kills workers. Empty room: empty answer, at once.
        """
        offered = {queue: count for queue, count in room.items() if count > 0}
        deadline = monotonic() + block_ms / 1000
        streams = {queue: self._streams(queue) for queue in offered}
        while offered:
            started, positions = self._start(streams, offered, last_attempts)
            if started:
                self._turn += 1
                return self._with_payloads(started)
            left_s = deadline - monotonic()
            if left_s <= 0:
                break
            self._wait(streams, positions, min(left_s, LONGEST_WAIT_S, self._lease_ms / 2000))
        return []

    def renew(self, claims: Iterable[Claim]) -> set[str]:
        """Extend the leases; returns the ids no longer ours: cancelled, taken over or gone."""
        named = [part for claim in claims for part in (claim.job_id, claim.token)]
        return {job_id.decode() for job_id in self._run("renew", *named)} if named else set()

    def progress(self, claim: Claim, done: int, total: int, target: list[ClassRef] | None = None) -> bool:
        """Report rows done. False: no longer ours."""
        return bool(self._run("progress", claim.job_id, claim.token, done, total, dump_target(target)))

    def finish(self, claim: Claim, meta: bytes, tensors: bytes, target: list[ClassRef] | None = None) -> bool:
        """Store the result and end the job. False: no longer ours. Raises `StoreFull`; the job then still runs."""
        outcome = self.finish_all([FinishedJob(claim, meta, tensors, target)])[0]
        if isinstance(outcome, StoreFull):
            raise outcome
        return outcome

    def finish_all(self, results: Sequence[FinishedJob]) -> list[bool | StoreFull]:
        """`finish` for several jobs in one round trip: for each what it would answer, or raise.

        Large tensors do not go through the script, where Lua would copy and hash them, but ahead of it into a key of
        their own, which the script gives its name; without that the key expires.
        """
        large = {
            self._keys.handed(one.claim.job_id, one.claim.token): one.tensors
            for one in results
            if len(one.tensors) > SMALL_BYTES
        }
        calls = [self._finish_arguments(one) for one in results]
        with store_errors():
            handed, replies = scripts.run_each(self._client, "finish", calls, large, HANDED_TTL_S)
        for reply in handed:
            _as_outcome(reply)  # raises where the store cannot write; for want of room the script says so itself
        return [_as_outcome(reply) for reply in replies]

    def _finish_arguments(self, one: FinishedJob) -> tuple[scripts.Argument, ...]:
        is_handed = len(one.tensors) > SMALL_BYTES
        return (
            self._keys.for_scripts,
            one.claim.job_id,
            one.claim.token,
            one.meta,
            int(is_handed),
            b"" if is_handed else one.tensors,
            self._result_ttl_s,
            dump_target(one.target),
            int(one.reusable),
        )

    def fail(self, claim: Claim, failure: JobFailure) -> bool:
        """End the job without a result. False: no longer ours."""
        return bool(self._run("fail", claim.job_id, claim.token, failure.model_dump_json(), self._result_ttl_s))

    def release(self, claim: Claim) -> bool:
        """Give the job back, to the front of its queue; the attempt does not count. False: no longer ours."""
        return bool(self._run("release", claim.job_id, claim.token))

    def orders(self, after: str | None, block_ms: int = 0) -> Orders:
        """What was ordered after that order, or within `block_ms`; without it, where things stand and no orders."""
        with store_errors():
            entries: list[Any] = []
            if after is None:
                found: Any = self._client.xrevrange(self._keys.orders, count=1)
                latest = found[0][0].decode() if found else FIRST_ORDER
            else:
                block = max(1, min(block_ms, int(LONGEST_WAIT_S * 1000)))
                reply: Any = self._waiting.xread({self._keys.orders: after}, block=block)
                entries = reply[0][1] if reply else []
                latest = entries[-1][0].decode() if entries else after
            unloaded: Any = self._client.smembers(self._keys.unloaded)
        loads = {
            entry.decode(): LoadOrder(fields[b"model"].decode(), fields[b"version"].decode() or None)
            for entry, fields in entries
            if fields[b"action"] == b"load"
        }
        return Orders(latest, loads, frozenset(ModelKey.parse(queue.decode()) for queue in unloaded))

    def refuse(self, queue: ModelKey) -> int:
        """Fail the jobs that wait for a model that is out of service; returns how many."""
        refused, count = 0, REFUSED_AT_ONCE
        while count >= REFUSED_AT_ONCE:
            count = self._run(
                "refuse",
                str(queue),
                *self._keys.streams(queue),
                self._unloaded,
                self._result_ttl_s,
                self._lease_ms,
                REFUSED_AT_ONCE,
            )
            refused += count
        return refused

    def listen_cancelled(self, callback: Callable[[str], None], stop: threading.Event) -> None:
        """Call back with the id of each running job that is cancelled, until `stop` is set; for a thread of its own.

        Never raises for Redis being away: it reconnects. What is cancelled meanwhile is learnt from `renew`.
        """
        make_connection = self._client.connection_pool.make_connection
        listen(make_connection, self._keys.cancelled, self._timeout_s, callback, stop)

    def close(self) -> None:
        self._client.close()
        self._waiting.close()

    def _streams(self, queue: ModelKey) -> list[str]:
        """Every stream of a queue, first served first."""
        streams = self._keys.streams(queue)
        return streams[::-1] if self._turn % BATCH_FIRST_EVERY == BATCH_FIRST_EVERY - 1 else streams

    def _start(
        self, streams: dict[ModelKey, list[str]], room: dict[ModelKey, int], last_attempts: int
    ) -> tuple[list[list[Any]], list[bytes]]:
        """One script takes and starts jobs. Without any it says from where to wait, per stream."""
        offers: list[scripts.Argument] = []
        for queue, count in room.items():
            offers += [str(queue), *streams[queue], count]
        limits = (self._lease_ms, self._max_attempts, self._result_ttl_s)
        started, positions = self._run(
            "claim", self._worker_id, *limits, self._worn_out, max(0, last_attempts), *offers
        )
        return started, positions

    def _wait(self, streams: dict[ModelKey, list[str]], positions: list[bytes], wait_s: float) -> None:
        """Until an entry is added behind those positions. Entries stay where they are: `_start` shares them out."""
        names = [stream for pair in streams.values() for stream in pair]
        with store_errors():
            self._waiting.xread(dict(zip(names, positions, strict=True)), count=1, block=max(1, int(wait_s * 1000)))

    def _with_payloads(self, started: list[list[Any]]) -> list[Claim]:
        """Claims with their inputs; a job whose input is gone (evicted, deleted) is failed."""
        missing = [job_id for job_id, *_, payload in started if payload is None]
        found: dict[bytes, Any] = {}
        if missing:
            with store_errors():
                blobs: Any = self._client.mget([self._keys.payload(job_id.decode()) for job_id in missing])
            found = dict(zip(missing, blobs, strict=True))
        claims = []
        for job_id, spec, attempt, token, created_ms, started_ms, small in started:
            payload = found[job_id] if small is None else small
            claim = Claim(
                job_id=job_id.decode(),
                spec=JobSpec.model_validate_json(spec),
                payload=payload or b"",
                attempt=attempt,
                token=token.decode(),
                created_ms=created_ms,
                started_ms=started_ms,
            )
            if payload is None:
                self.fail(claim, failure_of(JobFailed("the input is no longer stored")))
                continue
            if attempt > 1:
                log.info("job_taken_over", job=claim.job_id, attempt=attempt)
            claims.append(claim)
        return claims

    def _run(self, script: str, *arguments: scripts.Argument) -> Any:
        with store_errors():
            return scripts.run(self._client, script, self._keys.for_scripts, *arguments)


def _as_outcome(reply: Any) -> bool | StoreFull:
    """What a command answered within a pipeline, where errors are replies. Raises `StoreUnavailable`."""
    try:
        with store_errors():
            if isinstance(reply, Exception):
                raise reply
    except StoreFull as full:
        return full
    return StoreFull("the job store had no room for the tensors") if reply == NOT_HANDED else bool(reply)


def _worn_out(max_attempts: int) -> str:
    """The failure of a job that has had all its attempts, as JSON."""
    words = ("no worker", "one worker", "two workers", "three workers")
    who = words[max_attempts] if max_attempts < len(words) else f"{max_attempts} workers"
    return failure_of(WorkerLost(f"{who} died while computing it")).model_dump_json()
