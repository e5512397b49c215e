"""The sheet of a comparison, drawn from stored results, of which one at a time is in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from broker import ComparisonRecord, JobRecord, OpenedResult
from schemas.errors import JobHasNoResult
from schemas.results import ResultMeta
from service.comparisons.draw_sheet import Explained, SheetPlan
from service.comparisons.reading import NO_RESULT, job_ids
from service.comparisons.sheet_query import SheetQuery
from service.drawing.captions import CAPTIONS
from service.http.translation import said
from service.languages import Language
from service.rendered import picture_key
from service.results.draw_overlay import needs_payload
from service.results.drawing_memory import overlay_bytes
from service.results.formats import read_meta
from service.state import Gateway


async def sheet_png(gateway: Gateway, record: ComparisonRecord, options: SheetQuery, language: Language) -> bytes:
    """The sheet as PNG, of jobs that have ended, drawn unless an equal one has been drawn lately.

    Raises:
        JobHasNoResult: no job has a result.
        InvalidRequest: the jobs have no such example.
        Unavailable: other pictures hold the memory for too long.
        StoreUnavailable: the job store cannot be reached.
    """
    jobs = await gateway.store.comparisons.jobs(job_ids(record))
    states = ",".join(f"{job_id} {job.status}" for job_id, job in jobs.items())  # others may have expired meanwhile
    key = picture_key("sheet", record.id, states, options.model_dump_json(), language)
    return await gateway.rendered.get(key, lambda: _draw(gateway, record, jobs, options, language))


async def _draw(
    gateway: Gateway,
    record: ComparisonRecord,
    jobs: Mapping[str, JobRecord],
    options: SheetQuery,
    language: Language,
) -> bytes:
    """Draws the sheet. One at a time is drawn by a gateway."""
    async with gateway.large_results:
        plan = SheetPlan(record.cells, options, language)
        if options.scale == "shared" and options.limit is None:
            plan.options = options.model_copy(update={"limit": await _shared_limit(gateway, plan) or None})
        for number, cell in enumerate(record.cells):
            job = jobs.get(cell.job or "")
            async with _explained(gateway, cell.job if job and job.status == "succeeded" else None, plan) as explained:
                if explained is not None:
                    await gateway.compute(plan.add, number, explained)
                    continue
            error = cell.error if job is None else job.error
            status = "expired" if job is None or job.status == "succeeded" else job.status
            plan.add_message(number, said(error.reason, language) if error else CAPTIONS[language][status])
        if not plan.subjects:
            raise JobHasNoResult("no job of the comparison has a result")
        async with gateway.picture_memory.reserve(min(plan.canvas_bytes(), gateway.picture_memory.largest)):
            return await gateway.compute(plan.draw)


async def _shared_limit(gateway: Gateway, plan: SheetPlan) -> float:
    """The largest of the limits that the maps have on scales of their own."""
    largest = 0.0
    for cell in plan.cells:
        async with _explained(gateway, cell.job, plan) as explained:
            if explained is not None:
                largest = max(largest, await gateway.compute(plan.limit, explained))
    return largest


@asynccontextmanager
async def _explained(gateway: Gateway, job_id: str | None, plan: SheetPlan) -> AsyncIterator[Explained | None]:
    """The result of a job and its payload, for which, and for a panel of it, memory is reserved; None if it has none,
    or they are no longer kept."""
    found = await _read(gateway, job_id)
    if found is None or job_id is None:
        yield None
        return
    opened, meta = found
    payload_bytes = await gateway.store.jobs.payload_bytes(job_id) if needs_payload(meta) else 0
    panel_bytes = overlay_bytes(meta, plan.options, plan.panel_pixels())
    taken = min(opened.size + payload_bytes + panel_bytes, gateway.picture_memory.largest)
    async with gateway.picture_memory.reserve(taken):
        try:
            payload = await gateway.store.jobs.payload(job_id) if payload_bytes else b""
            explained: Explained | None = Explained(meta, await opened.whole(), payload)
        except NO_RESULT:
            explained = None
        yield explained


async def _read(gateway: Gateway, job_id: str | None) -> tuple[OpenedResult, ResultMeta] | None:
    if job_id is None:
        return None
    try:
        opened = await gateway.store.results.open(job_id)
        return opened, read_meta(opened.meta)
    except NO_RESULT:
        return None
