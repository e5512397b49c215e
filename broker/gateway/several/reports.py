"""The report of several stores as one."""

from collections.abc import Mapping

from broker.backlog import Backlog
from broker.gateway.reports import QueueLoad, StoreReport
from broker.gateway.several.reachable import of_reachable
from broker.gateway.several.routes import StoreRoutes
from schemas.model_key import ModelKey


class RoutedReports:
    """As `StoreReports`."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def read(self) -> StoreReport:
        """What the stores that answer know. Raises `StoreUnavailable` if none does."""
        found, away = await of_reachable((name, store.reports.read()) for name, store in self._routes.items())
        budgets = [report.budget_bytes for report in found.values()]
        return StoreReport(
            _queues(found),
            {
                model: series
                for name, report in found.items()
                for model, series in report.measured.items()
                if self._routes.name_of_model(model.name) == name
            },
            sum(report.used_bytes for report in found.values()),
            None if None in budgets else sum(bytes_ for bytes_ in budgets if bytes_ is not None),
            {monitor: figures for report in found.values() for monitor, figures in report.drift.items()},
            [
                backlog
                for name, report in found.items()
                for backlog in report.backlogs
                if self._routes.name_of_model(backlog.model.name) == name
            ],
            is_whole=not away,
        )

    async def backlog(self, model: ModelKey) -> list[Backlog]:
        """As `StoreReports.backlog`, of the store of the model."""
        return await self._routes.of_model(model.name).reports.backlog(model)


def _queues(reports: Mapping[str, StoreReport]) -> dict[ModelKey, QueueLoad]:
    """The queues of each model, summed: one that was moved may still have jobs in its former store."""
    queues: dict[ModelKey, QueueLoad] = {}
    for report in reports.values():
        for model, load in report.queues.items():
            before = queues.get(model, QueueLoad(0, 0, 0.0))
            queues[model] = QueueLoad(before.jobs + load.jobs, before.rows + load.rows, before.seconds + load.seconds)
    return dict(sorted(queues.items()))
