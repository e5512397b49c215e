"""Several job stores, put together."""

import asyncio
from collections.abc import Collection, Mapping

from broker.gateway.comparisons import StoredComparisons
from broker.gateway.several.comparisons import RoutedComparisons
from broker.gateway.several.jobs import RoutedJobs, RoutedResults
from broker.gateway.several.monitors import RoutedMonitors
from broker.gateway.several.reachable import of_all, of_reachable
from broker.gateway.several.registry import RoutedAdminCommands, RoutedModels, RoutedWorkers
from broker.gateway.several.reports import RoutedReports
from broker.gateway.several.routes import DEFAULT, StoreRoutes
from broker.gateway.store import JobStore


class SeveralStores:
    """The interface of a `JobStore` over several. A store that is away raises `StoreUnavailable` for its models, their
    jobs and comparisons alone. What lists models, workers and metrics leaves it out; lists of jobs of all models, and
    monitors, need every store.

    Args:
        default: has every model that no other store has.
        others: by name. Each makes ids that end with `id_ending` of its name. All stores are closed with this.
        models: names of models, each with the name of its store.
    """

    def __init__(self, default: JobStore, others: Mapping[str, JobStore], models: Mapping[str, str]) -> None:
        self._routes = StoreRoutes({DEFAULT: default, **others}, models)
        self.jobs = RoutedJobs(self._routes)
        self.results = RoutedResults(self._routes)
        self.comparisons = RoutedComparisons(self._routes)
        self.models = RoutedModels(self._routes)
        self.workers = RoutedWorkers(self._routes)
        self.monitors = RoutedMonitors(self._routes)
        self.reports = RoutedReports(self._routes)
        self.admin_commands = RoutedAdminCommands(self._routes)

    def comparisons_of(self, models: Collection[str]) -> StoredComparisons:
        """Where a comparison of these models is kept. Raises `InvalidRequest` for models of different stores."""
        return self._routes.shared_by(models).comparisons

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless one of the stores answers."""
        await of_reachable((name, store.ping()) for name, store in self._routes.items())

    async def ping_all(self) -> None:
        """Raises `StoreUnavailable` unless all stores answer."""
        await of_all((name, store.ping()) for name, store in self._routes.items())

    async def close(self) -> None:
        """Closes every store."""
        await asyncio.gather(*(store.close() for _, store in self._routes.items()))


Store = JobStore | SeveralStores
