"""Monitors, each in the store of its model. Names of an owner are unique over all stores."""

from broker.gateway.several.reachable import of_all
from broker.gateway.several.routes import StoreRoutes
from broker.gateway.store import JobStore
from broker.monitor_hash import MonitorRecord
from schemas.errors import MonitorNotFound
from schemas.monitors import MonitorDefinition
from schemas.sentences import Sentence


class RoutedMonitors:
    """As `StoredMonitors`, which says what each method does and raises. A name may be in any store, so all must answer
    but where one is found. The most monitors that there may be hold for each store by itself."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def put(self, name: str, definition: MonitorDefinition) -> bool:
        chosen = self._routes.of_model(definition.model)
        holders = [store for store in await self._holders(name, definition.owner) if store is not chosen]
        is_new = await chosen.monitors.put(name, definition)
        for store in holders:  # it watched a model of another store
            await store.monitors.delete(name, definition.owner)
        return is_new and not holders

    async def get(self, name: str, owner: str) -> MonitorRecord:
        for store in await self._holders(name, owner):
            return await store.monitors.get(name, owner)
        raise MonitorNotFound(Sentence("no monitor {name}", name=name))

    async def all(self, owner: str) -> list[MonitorRecord]:
        found = await of_all((name, store.monitors.all(owner)) for name, store in self._routes.items())
        return sorted((one for of_store in found.values() for one in of_store), key=lambda one: one.name)

    async def delete(self, name: str, owner: str) -> None:
        holders = await self._holders(name, owner)
        for store in holders:
            await store.monitors.delete(name, owner)
        if not holders:
            raise MonitorNotFound(Sentence("no monitor {name}", name=name))

    async def _holders(self, name: str, owner: str) -> list[JobStore]:
        """The stores that have a monitor of this name: one, or after a lost reply two. Raises `StoreUnavailable`."""
        stores = dict(self._routes.items())
        found = await of_all((at, _has(store, name, owner)) for at, store in stores.items())
        return [stores[at] for at, has in found.items() if has]


async def _has(store: JobStore, name: str, owner: str) -> bool:
    try:
        await store.monitors.get(name, owner)
    except MonitorNotFound:
        return False
    return True
