"""What must hold of the jobs of one seed, whatever was done to the processes. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.soak.keeper import Death
from tests.soak.record import JobTrace

REAL_DEATHS = 3  # that a job must have met before it may fail as `worker_lost`


def faults_of_jobs(traces: Sequence[JobTrace], worker_deaths: Sequence[Death]) -> list[str]:
    """Every broken promise in words; empty when all hold."""
    found = [fault for trace in traces for fault in trace.faults]
    for trace in traces:
        found += (f"{trace.plan.index}: {fault}" for fault in _faults_of(trace, worker_deaths))
    shared = Counter(trace.job_id for trace in traces if trace.job_id is not None)
    return found + [f"{count} requests share the job {job_id}" for job_id, count in shared.items() if count > 1]


def _faults_of(trace: JobTrace, worker_deaths: Sequence[Death]) -> list[str]:
    found = []
    if len(trace.digests) > 1:
        found.append(f"answered twice, with {len(trace.digests)} different results")
    if trace.repeated_ids - {trace.job_id}:
        found.append(f"its key led to other jobs: {trace.repeated_ids} instead of {trace.job_id}")
    if trace.confirmed_cancel and trace.status != "cancelled":
        found.append(f"it was cancelled and is {trace.status}")
    if trace.status == "cancelled" and not trace.plan.cancelled:
        found.append("cancelled, and nobody asked for it")
    if trace.status == "failed":
        found += _faults_of_failure(trace, worker_deaths)
    elif trace.plan.kills and trace.status == "succeeded":
        found.append("it kills its workers, and succeeded")
    return found


def _faults_of_failure(trace: JobTrace, worker_deaths: Sequence[Death]) -> list[str]:
    error = trace.job.get("error") or {}
    if error.get("code") != "worker_lost":
        return [f"failed: {error}"]
    lived = (trace.accepted_at_s or 0.0, trace.ended_at_s or 0.0)
    deaths = sum(lived[0] <= death.at_s <= lived[1] for death in worker_deaths)
    return [] if deaths >= REAL_DEATHS else [f"worker_lost after {deaths} real deaths of workers"]


def faults_of_deaths(deaths: Sequence[Death], killers: int) -> list[str]:
    """Processes that ended by themselves, beyond the three deaths that each killing input may cause."""
    unwanted = [death for death in deaths if not death.wanted]
    killed = [death for death in unwanted if death.name.startswith("worker") and death.code == -9]
    others = [death for death in unwanted if death not in killed]
    found = [f"{death.name} ended by itself with {death.code}" for death in others]
    if len(killed) > REAL_DEATHS * killers:
        found.append(f"{len(killed)} workers were killed by {killers} inputs")
    return found
