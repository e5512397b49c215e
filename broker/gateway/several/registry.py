"""Models, workers and admin commands of several stores."""

from collections.abc import Iterable

from broker.card_names import CardName, version_order
from broker.gateway.several.reachable import of_reachable
from broker.gateway.several.routes import StoreRoutes
from broker.records import WorkerInfo
from schemas.models import ModelCard


class RoutedModels:
    """As `ModelRegistry`. A card that a worker has announced in another store than the model's does not count, since no
    job gets there."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def cards(self) -> list[ModelCard]:
        """Those of the stores that answer. Raises `StoreUnavailable` if none does."""
        found, _ = await of_reachable((name, store.models.cards()) for name, store in self._routes.items())
        cards = [
            card
            for name, of_store in found.items()
            for card in of_store
            if self._routes.name_of_model(card.name) == name
        ]
        return sorted(cards, key=lambda card: (card.name, version_order(card.version)))

    async def names(self) -> list[CardName]:
        """As `cards`, without a look at them."""
        found, _ = await of_reachable((name, store.models.names()) for name, store in self._routes.items())
        names = [
            one
            for at, of_store in found.items()
            for one in of_store
            if self._routes.name_of_model(one.model.name) == at
        ]
        return sorted(names, key=lambda one: (one.model.name, version_order(one.model.version)))

    async def card(self, name: str, version: str | None = None) -> ModelCard:
        """Raises as `ModelRegistry.card`, and `StoreUnavailable` where the store of this name is away."""
        return await self._routes.of_model(name).models.card(name, version)


class RoutedWorkers:
    """As `WorkerRegistry`."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def live(self) -> list[WorkerInfo]:
        """Those of the stores that answer, by id. Raises `StoreUnavailable` if none does."""
        found, _ = await of_reachable((name, store.workers.live()) for name, store in self._routes.items())
        return sorted((worker for of_store in found.values() for worker in of_store), key=lambda worker: worker.id)


class RoutedAdminCommands:
    """As `AdminCommands`: the workers of the model's store get the command. Its id names the model."""

    def __init__(self, routes: StoreRoutes) -> None:
        self._routes = routes

    async def load(self, name: str, version: str | None = None) -> str:
        return f"{await self._routes.of_model(name).admin_commands.load(name, version)} {name}"

    async def unload(self, name: str, versions: Iterable[str]) -> str:
        return f"{await self._routes.of_model(name).admin_commands.unload(name, versions)} {name}"

    async def is_executed(self, command: str) -> bool:
        own, _, name = command.partition(" ")
        return await self._routes.of_model(name).admin_commands.is_executed(own)
