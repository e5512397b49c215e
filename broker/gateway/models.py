"""Model cards that workers have announced."""

import structlog
from pydantic import ValidationError

from broker.card_names import CardName, best_card, card_names, model_keys
from broker.gateway.async_connection import AsyncConnection
from schemas.errors import ModelNotFound, ModelUnavailable
from schemas.models import ModelCard
from schemas.sentences import Sentence

log = structlog.get_logger(__name__)


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
        cards = []
        for name, blob in zip(names, blobs, strict=True):
            try:
                cards += [] if blob is None else [name.shown(blob)]
            except ValidationError as error:
                log.warning("model_card_unreadable", card=str(name), errors=error.error_count())
        return cards

    async def card(self, name: str, version: str | None = None) -> ModelCard:
        """One model; without a version the highest that takes jobs, or, if none does, the highest.

        Raises `ModelNotFound`, and `ModelUnavailable` for a card that cannot be read.
        """
        chosen = best_card(await self._card_names(), name, version)
        blob = (await self._connection.values([self._keys.card(str(chosen))]))[0] if chosen else None
        if chosen is None or blob is None:
            raise ModelNotFound(
                Sentence("no model {name} of version {version}", name=name, version=version)
                if version
                else Sentence("no model {name}", name=name)
            )
        try:
            return chosen.shown(blob)
        except ValidationError as error:
            log.warning("model_card_unreadable", card=str(chosen), errors=error.error_count())
            raise ModelUnavailable(
                Sentence("the card of {model} cannot be read by this gateway", model=chosen.model)
            ) from error

    async def _card_names(self) -> list[CardName]:
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            pipeline.zrange(self._keys.cards, 0, -1)
            pipeline.smembers(self._keys.unloaded)
            members, unloaded = await pipeline.execute()
        return card_names((member.decode(errors="replace") for member in members), model_keys(unloaded))
