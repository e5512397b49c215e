"""A comparison with its jobs, from the job store, and the agreement of its results, which is computed once."""

import asyncio
from collections.abc import Mapping, Sequence

from broker import ComparisonRecord, JobRecord
from schemas.comparisons import Agreement, Comparison
from schemas.errors import JobHasNoResult, JobNotFound, ResultNotReady
from schemas.jobs import TERMINAL
from service.comparisons.agreement import agreements
from service.comparisons.comparable import Comparable, comparable
from service.comparisons.view import comparison_view, has_ended
from service.results.formats import read_meta
from service.state import Gateway

NO_RESULT = (JobHasNoResult, JobNotFound, ResultNotReady)


async def read_comparison(gateway: Gateway, record: ComparisonRecord, root_path: str) -> Comparison:
    """The `Comparison` document. Computes the agreement the first time that all jobs have ended.

    Raises:
        StoreUnavailable: the job store cannot be reached.
    """
    jobs = await gateway.store.comparisons.jobs(job_ids(record))
    agreement = record.agreement
    if agreement is None and has_ended(jobs):
        agreement = await _computed(gateway, record, jobs)
        await gateway.store.comparisons.keep_agreement(record.id, agreement)
    return comparison_view(record, jobs, agreement, root_path)


async def wait_for_jobs(gateway: Gateway, ids: Sequence[str], wait_s: float) -> None:
    """Return when all jobs have ended, or after `wait_s` seconds."""
    try:
        async with asyncio.timeout(wait_s):
            for job_id in ids:
                await _ended(gateway, job_id)
    except TimeoutError:
        return


def job_ids(record: ComparisonRecord) -> list[str]:
    """The jobs of its cells that were not refused."""
    return [cell.job for cell in record.cells if cell.job is not None]


async def _ended(gateway: Gateway, job_id: str) -> None:
    try:
        async with gateway.store.jobs.watch(job_id) as records:
            async for record in records:
                if record.status in TERMINAL:
                    return
    except JobNotFound:
        return


async def _computed(gateway: Gateway, record: ComparisonRecord, jobs: Mapping[str, JobRecord]) -> list[Agreement]:
    """The agreement of the cells that have succeeded. One comparison at a time is in memory, one result of it at a time
    as a whole; the figures are computed in a thread."""
    async with gateway.large_results:
        cells = [await _comparable(gateway, cell.job, jobs) for cell in record.cells]
        return await gateway.compute(agreements, cells)


async def _comparable(gateway: Gateway, job_id: str | None, jobs: Mapping[str, JobRecord]) -> Comparable | None:
    if job_id is None or job_id not in jobs or jobs[job_id].status != "succeeded":
        return None
    try:
        opened = await gateway.store.results.open(job_id)
        meta, tensors = read_meta(opened.meta), await opened.whole()
        return await gateway.compute(comparable, meta, tensors)
    except NO_RESULT:  # it has expired meanwhile, or is damaged: the other cells are compared all the same
        return None
