"""The sheet of a comparison, drawn from stored results, of which one at a time is in memory."""

from broker import ComparisonRecord
from schemas.errors import JobHasNoResult
from service.comparisons.draw_sheet import Explained, SheetPlan
from service.comparisons.reading import NO_RESULT, job_ids
from service.comparisons.sheet_query import SheetQuery
from service.languages import Language
from service.pictures.captions import CAPTIONS
from service.results.draw_overlay import needs_payload
from service.results.formats import read_meta
from service.state import Gateway


async def sheet_png(gateway: Gateway, record: ComparisonRecord, options: SheetQuery, language: Language) -> bytes:
    """The sheet as PNG, of jobs that have ended. One sheet at a time is drawn by a gateway.

    Raises:
        JobHasNoResult: no job has a result.
        InvalidRequest: the jobs have no such example.
        StoreUnavailable: the job store cannot be reached.
    """
    async with gateway.large_results:
        plan = SheetPlan(record.cells, options, language)
        if options.scale == "shared" and options.limit is None:
            plan.options = options.model_copy(update={"limit": await _shared_limit(gateway, plan) or None})
        jobs = await gateway.store.comparisons.jobs(job_ids(record))
        for number, cell in enumerate(record.cells):
            job = jobs.get(cell.job or "")
            explained = await _explained(gateway, cell.job) if job and job.status == "succeeded" else None
            if explained is not None:
                await gateway.compute(plan.add, number, explained)
                continue
            error = cell.error if job is None else job.error
            status = "expired" if job is None or job.status == "succeeded" else job.status
            plan.add_message(number, error.detail if error else CAPTIONS[language][status])
        if not plan.subjects:
            raise JobHasNoResult("no job of the comparison has a result")
        return await gateway.compute(plan.draw)


async def _shared_limit(gateway: Gateway, plan: SheetPlan) -> float:
    """The largest of the limits that the maps have on scales of their own."""
    largest = 0.0
    for cell in plan.cells:
        explained = await _explained(gateway, cell.job)
        if explained is not None:
            largest = max(largest, await gateway.compute(plan.limit, explained))
    return largest


async def _explained(gateway: Gateway, job_id: str | None) -> Explained | None:
    """The result of a job and its payload; None if it has none, or they are no longer kept."""
    if job_id is None:
        return None
    try:
        opened = await gateway.store.results.open(job_id)
        meta = read_meta(opened.meta)
        payload = await gateway.store.jobs.payload(job_id) if needs_payload(meta) else b""
        return Explained(meta, await opened.whole(), payload)
    except NO_RESULT:
        return None
