"""Jobs and their results, each in the store of its model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from broker.gateway.jobs import Wait
from broker.gateway.opened_result import OpenedResult
from broker.gateway.several.pages import Position, StorePage, merged_page, parsed_cursor
from broker.gateway.several.routes import StoreRoutes
from broker.records import JobRecord, NewJob, StoredResult, Submitted
from broker.tuning import MAX_PAGE_JOBS
from schemas.jobs import JobStatus


class RoutedJobs:
    """As `StoredJobs`, which says what each method does and raises."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def submit(self, job: NewJob) -> Submitted:
        """In the store of the job's model; limits of its key hold in each store by themselves."""
        return await self._routes.of_model(job.spec.model).jobs.submit(job)

    def submit_and_wait(
        self, job: NewJob, *, takes_result: bool = False
    ) -> AbstractAsyncContextManager[tuple[Submitted, Wait]]:
        return self._routes.of_model(job.spec.model).jobs.submit_and_wait(job, takes_result=takes_result)

    async def get(self, job_id: str) -> JobRecord:
        return await self._routes.of_id(job_id).jobs.get(job_id)

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
        """The jobs of all stores, by time: their clocks decide about jobs of different stores. A page of one model asks
        its store alone. Without a model every store must answer, since a page without the jobs of one would have a gap.
        """
        limit = max(1, min(limit, MAX_PAGE_JOBS))
        filters = (status or "", model or "", version or "")
        after = parsed_cursor(cursor)
        if model is not None:
            chosen = self._routes.of_model(model)
            stores = [(number, store) for number, (_, store) in enumerate(self._routes.items()) if store is chosen]
        else:
            stores = [(number, store) for number, (_, store) in enumerate(self._routes.items())]
        found = await asyncio.gather(
            *(store.jobs.listed(filters, _cursor(after, number), limit, owner) for number, store in stores)
        )
        pages = [StorePage([], None) for _ in self._routes.items()]
        for (number, _), page in zip(stores, found, strict=True):
            pages[number] = StorePage(*page)
        return merged_page(pages, limit)

    async def cancel(self, job_id: str) -> JobRecord:
        return await self._routes.of_id(job_id).jobs.cancel(job_id)

    async def check_owner(self, job_id: str, owner: str) -> None:
        await self._routes.of_id(job_id).jobs.check_owner(job_id, owner)

    async def payload(self, job_id: str) -> bytes:
        return await self._routes.of_id(job_id).jobs.payload(job_id)

    async def payload_bytes(self, job_id: str) -> int:
        return await self._routes.of_id(job_id).jobs.payload_bytes(job_id)

    def watch(self, job_id: str) -> AbstractAsyncContextManager[AsyncIterator[JobRecord]]:
        return self._routes.of_id(job_id).jobs.watch(job_id)


class RoutedResults:
    """As `StoredResults`, which says what each method does and raises."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def get(self, job_id: str) -> StoredResult:
        return await self._routes.of_id(job_id).results.get(job_id)

    async def open(self, job_id: str) -> OpenedResult:
        return await self._routes.of_id(job_id).results.open(job_id)


def _cursor(after: Position | None, store: int) -> str | None:
    return None if after is None else after.cursor_of(store)
