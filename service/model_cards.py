"""Models by name."""

import asyncio
from time import monotonic

from broker import JobStore
from schemas.errors import FieldError, ModelNotFound
from schemas.models import ModelCard
from service.validation.document.suggest import suggestion

RECENT_S = 0.25  # a worker announces its cards every two seconds
MOST_RECENT = 64
MOST_LISTED = 20  # models in one message
Name = tuple[str, str | None]  # and version, where one is asked for


class RecentCards:
    """Cards found a moment ago, so that a crowd of requests looks each up once."""

    def __init__(self) -> None:
        self._cards: dict[Name, tuple[float, ModelCard]] = {}
        self._looking: dict[Name, asyncio.Task[ModelCard]] = {}

    async def find(self, store: JobStore, name: str, version: str | None) -> ModelCard:
        """As `find_card`; what was not found, or is not ready, is looked for again each time."""
        asked = (name, version)
        at, card = self._cards.get(asked, (0.0, None))
        if card is not None and monotonic() - at <= RECENT_S:
            return card
        looking = self._looking.get(asked)
        if looking is None:
            looking = self._looking[asked] = asyncio.create_task(self._look(store, asked))
        return await asyncio.shield(looking)  # others may wait for it when this one leaves

    async def _look(self, store: JobStore, asked: Name) -> ModelCard:
        try:
            card = await find_card(store, *asked)
        finally:
            del self._looking[asked]
        self._cards.pop(asked, None)
        if card.status == "ready":
            while len(self._cards) >= MOST_RECENT:
                del self._cards[next(iter(self._cards))]
            self._cards[asked] = (monotonic(), card)
        return card


async def find_card(store: JobStore, name: str, version: str | None) -> ModelCard:
    """The model's card: the version asked for, or the highest that takes jobs.

    Raises:
        ModelNotFound: says which names or versions there are that are close.
        StoreUnavailable: Redis is away.
    """
    try:
        return await store.models.card(name, version)
    except ModelNotFound:
        cards = await store.models.cards()
    versions = [card.version for card in cards if card.name == name]
    if versions:
        raise _not_found("version", f"the model {name} has no such version; there is {', '.join(versions)}")
    names = list(dict.fromkeys(card.name for card in cards))
    raise _not_found("model", f"no such model{suggestion(name, names)}; {_listed(names)}")


def _listed(names: list[str]) -> str:
    """All models, as far as they fit into a message."""
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"there is {', '.join(names[:MOST_LISTED])}{more}" if names else "no model is loaded"


def _not_found(field: str, message: str) -> ModelNotFound:
    return ModelNotFound(message, errors=[FieldError(loc=[field], msg=message)])
