"""What a worker writes about the jobs that it has claimed."""

from collections.abc import Iterable, Sequence
from typing import Any

from broker.job_hash import dump_target
from broker.records import Claim, FinishedJob, JobProgress
from broker.script_constants import TENSORS_MISSING
from broker.scripts import ScriptCall
from broker.store_errors import store_errors
from broker.tuning import SCRIPT_VALUE_BYTES, TENSORS_TTL_S
from broker.worker.sync_connection import SyncConnection
from schemas.errors import StoreFull
from schemas.jobs import ClassRef, JobFailure


class ClaimedJobs:
    """The jobs that one worker has claimed. A method returns False when the job is no longer this worker's: it was
    cancelled, another worker has taken it over, or it has expired."""

    def __init__(self, connection: SyncConnection, result_ttl_s: int, lease_ms: int, max_attempts: int) -> None:
        self._connection = connection
        self._keys = connection.keys
        self._lease_ms = lease_ms
        self._max_attempts = max_attempts
        self._result_ttl_s = result_ttl_s

    def renew(self, claims: Iterable[Claim]) -> set[str]:
        """Extends the leases; returns the ids of jobs that are no longer this worker's."""
        claims = list(claims)
        if not claims:
            return set()
        keys = [self._keys.job(claim.job_id) for claim in claims]
        owned = (part for one in claims for part in (one.job_id, one.token))
        lost = self._connection.run("renew", keys, self._lease_ms, *owned)
        return {job_id.decode() for job_id in lost}

    def progress(self, claim: Claim, done: int, total: int, target: list[ClassRef] | None = None) -> bool:
        """Reports the rows done."""
        return self.progress_all([JobProgress(claim, done, total, target)])[0]

    def progress_all(self, reports: Sequence[JobProgress]) -> list[bool]:
        """`progress` for several jobs in one round trip."""
        if not reports:
            return []
        calls = [
            ScriptCall([self._keys.job(claim.job_id)], [claim.job_id, claim.token, done, total, dump_target(target)])
            for claim, done, total, target in reports
        ]
        _, replies = self._connection.run_each("progress", calls, {}, 0)
        return [bool(_checked(reply)) for reply in replies]

    def finish(self, claim: Claim, meta: bytes, tensors: bytes, target: list[ClassRef] | None = None) -> bool:
        """Stores the result and ends the job. Raises `StoreFull`; the job then still runs."""
        outcome = self.finish_all([FinishedJob(claim, meta, tensors, target)])[0]
        if isinstance(outcome, StoreFull):
            raise outcome
        return outcome

    def finish_all(self, results: Sequence[FinishedJob]) -> list[bool | StoreFull]:
        """`finish` for several jobs in one round trip; a `StoreFull` is returned in place of a boolean.

        Large tensors bypass the script, where Lua would copy and hash them: they are stored before it under a key of
        their own, which expires unless the script renames it.
        """
        large = {self._keys.handed(one.claim.job_id, one.claim.token): one.tensors for one in results if _is_large(one)}
        calls = [self._finish_call(one) for one in results]
        stored, replies = self._connection.run_each("finish", calls, large, TENSORS_TTL_S)
        for reply in stored:
            _outcome_of(reply)  # raises when the store cannot write; a lack of memory shows in the script's reply
        return [_outcome_of(reply) for reply in replies]

    def fail(self, claim: Claim, failure: JobFailure) -> bool:
        """Ends the job without a result."""
        keys = [self._keys.job(claim.job_id)]
        return bool(
            self._connection.run("fail", keys, claim.job_id, claim.token, failure.model_dump_json(), self._result_ttl_s)
        )

    def fail_alone(self, job_id: str, token: str, failure: JobFailure) -> bool:
        """Ends a job for a reason in its own record: jobs that wait for its result go on without it."""
        arguments = (job_id, token, failure.model_dump_json(), self._result_ttl_s, 1)
        return bool(self._connection.run("fail", [self._keys.job(job_id)], *arguments))

    def release(self, claim: Claim) -> bool:
        """Returns the job to the front of its queue; the attempt does not count."""
        return bool(self._connection.run("release", [self._keys.job(claim.job_id)], claim.job_id, claim.token))

    def give_up(self, claim: Claim, failure: JobFailure) -> bool:
        """Returns a job that makes no progress to the front of its queue. The attempt counts; after the last one the
        job ends with this failure."""
        arguments = (claim.job_id, claim.token, failure.model_dump_json(), self._result_ttl_s, self._max_attempts)
        return bool(self._connection.run("give_up", [self._keys.job(claim.job_id)], *arguments))

    def _finish_call(self, one: FinishedJob) -> ScriptCall:
        job_id, token = one.claim.job_id, one.claim.token
        keys = [
            self._keys.job(job_id),
            self._keys.result(job_id),
            self._keys.tensors(job_id),
            self._keys.handed(job_id, token),
        ]
        is_large = _is_large(one)
        return ScriptCall(
            keys,
            [
                job_id,
                token,
                one.meta,
                b"" if is_large else one.tensors,
                int(is_large),
                self._result_ttl_s,
                dump_target(one.target),
                int(one.reusable),
            ],
        )


def _is_large(one: FinishedJob) -> bool:
    return len(one.tensors) > SCRIPT_VALUE_BYTES


def _checked(reply: Any) -> Any:
    """The reply of a command within a pipeline, where errors are replies. Raises `StoreUnavailable` or `StoreFull`."""
    with store_errors():
        if isinstance(reply, Exception):
            raise reply
    return reply


def _outcome_of(reply: Any) -> bool | StoreFull:
    """The outcome of a command within a pipeline. Raises `StoreUnavailable`."""
    try:
        _checked(reply)
    except StoreFull as full:
        return full
    return StoreFull("the job store had no room for the tensors") if reply == TENSORS_MISSING else bool(reply)
