"""Comparisons, each in the store of its models."""

import asyncio
from collections.abc import Sequence

from broker.gateway.several.routes import StoreRoutes
from broker.records import ComparisonRecord, JobRecord
from schemas.comparisons import Agreement, CellRecord


class RoutedComparisons:
    """As `StoredComparisons`, which says what each method does and raises. One begins in the store that
    `SeveralStores.comparisons_of` returns."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def complete(self, comparison_id: str, cells: Sequence[CellRecord]) -> None:
        await self._routes.of_id(comparison_id).comparisons.complete(comparison_id, cells)

    async def keep_agreement(self, comparison_id: str, agreement: Sequence[Agreement]) -> None:
        await self._routes.of_id(comparison_id).comparisons.keep_agreement(comparison_id, agreement)

    async def drop(self, comparison_id: str) -> None:
        await self._routes.of_id(comparison_id).comparisons.drop(comparison_id)

    async def get(self, comparison_id: str, owner: str = "") -> ComparisonRecord:
        return await self._routes.of_id(comparison_id).comparisons.get(comparison_id, owner)

    async def jobs(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        groups = self._routes.grouped(job_ids)
        found = await asyncio.gather(*(store.comparisons.jobs(ids) for store, ids in groups))
        of_all = {job_id: record for jobs in found for job_id, record in jobs.items()}
        return {job_id: of_all[job_id] for job_id in job_ids if job_id in of_all}
