"""Model cards that workers have announced."""

from typing import Any

import structlog
from pydantic import ValidationError

from broker.card_names import CardName, CardRegistry, best_card, model_keys
from broker.gateway.async_connection import AsyncConnection
from broker.group_names import GroupNames
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
        """The card of every model that workers have announced, by name and version; the ready card where some workers
        loaded the model and others failed. A model that took jobs is known for `CARD_TTL_MS` after its last worker."""
        names = (await self.registry()).names()
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
        chosen = best_card((await self.registry()).names(), name, version)
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

    async def names(self) -> list[CardName]:
        """The name of the card of every model, without a look at the cards."""
        return (await self.registry()).names()

    async def registry(self) -> CardRegistry:
        """What the store knows of models. Raises `StoreUnavailable`."""
        keys = [self._keys.cards, self._keys.groups, self._keys.unloaded]
        cards, groups, unloaded, served = await self._connection.run("known_models", keys)
        live = frozenset(name.decode(errors="replace") for name in served)
        return CardRegistry(_by_name(cards), GroupNames.of(_by_name(groups)), model_keys(unloaded), live)


def _by_name(flat: list[Any]) -> dict[str, int]:
    """Members of a sorted set, each followed by its score."""
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {member.decode(errors="replace"): int(float(score)) for member, score in pairs}
