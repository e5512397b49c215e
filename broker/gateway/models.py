"""Model cards that workers have announced."""

from broker.card_names import CardName, best_card, card_names
from broker.gateway.async_connection import AsyncConnection
from schemas.errors import ModelNotFound
from schemas.model_key import ModelKey
from schemas.models import ModelCard


class ModelRegistry:
    """The models of a store."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    async def cards(self) -> list[ModelCard]:
        """The card of every model that a worker has announced within a minute, by name and version; the ready card
        where some workers loaded the model and others failed."""
        names = await self._card_names()
        blobs = await self._connection.values([self._keys.card(str(name)) for name in names])
        return [name.shown(blob) for name, blob in zip(names, blobs, strict=True) if blob is not None]

    async def card(self, name: str, version: str | None = None) -> ModelCard:
        """One model; without a version the highest that takes jobs, or, if none does, the highest.

        Raises `ModelNotFound`.
        """
        chosen = best_card(await self._card_names(), name, version)
        blob = (await self._connection.values([self._keys.card(str(chosen))]))[0] if chosen else None
        if chosen is None or blob is None:
            raise ModelNotFound(f"no model {name}" + (f" of version {version}" if version else ""))
        return chosen.shown(blob)

    async def _card_names(self) -> list[CardName]:
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            pipeline.zrange(self._keys.cards, 0, -1)
            pipeline.smembers(self._keys.unloaded)
            members, unloaded = await pipeline.execute()
        return card_names(
            (member.decode() for member in members), {ModelKey.parse(model.decode()) for model in unloaded}
        )
