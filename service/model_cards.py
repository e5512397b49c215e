"""Finds model cards by name and version."""

import asyncio
from time import monotonic

from broker import Store
from schemas.errors import FieldError, ModelNotFound, ModelUnavailable
from schemas.models import ModelCard
from schemas.sentences import Sentence
from service.tuning import CARD_CACHE_S, MAX_CACHED_CARDS, MAX_LISTED_MODELS, NO_WORKER_RETRY_S
from service.validation.document.suggest import with_suggestion

KEPT_STATUSES = frozenset({"ready", "asleep"})
CardKey = tuple[str, str | None]  # the model's name, and the version if the request names one


class RecentCards:
    """A cache of the cards of ready and sleeping models. Concurrent requests for one model share one look-up."""

    def __init__(self) -> None:
        self._cards: dict[CardKey, tuple[float, ModelCard]] = {}
        self._endpoints: dict[str, str] = {}
        self._endpoints_at = -CARD_CACHE_S
        self._is_complete = False  # whether all stores answered then
        self._lookups: dict[CardKey, asyncio.Task[ModelCard]] = {}

    async def find(self, store: Store, name: str, version: str | None) -> ModelCard:
        """As `find_card`, from the cache if the card is at most `CARD_CACHE_S` old.

        Other cards, and failed look-ups, are not cached.
        """
        key = (name, version)
        at, card = self._cards.get(key, (0.0, None))
        if card is not None and monotonic() - at <= CARD_CACHE_S:
            return card
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = asyncio.create_task(self._look_up(store, key))
        return await asyncio.shield(lookup)  # other requests may await it when this one is cancelled

    async def model_of_endpoint(self, store: Store, endpoint: str) -> str | None:
        """The name of the model that Vertex AI's clients know by this endpoint; None if no card names it.

        The names are kept for `CARD_CACHE_S`. Of several models with one endpoint the first by name counts. Raises
        `StoreUnavailable` for an endpoint that may be known to a store which is away.
        """
        if monotonic() - self._endpoints_at > CARD_CACHE_S:
            self._endpoints = await _endpoints(store)
            self._endpoints_at = monotonic()
            self._is_complete = False
        if endpoint not in self._endpoints and not self._is_complete:
            await store.ping_all()
            self._endpoints = await _endpoints(store)  # a store may have been away when they were read
            self._is_complete = True
        return self._endpoints.get(endpoint)

    async def _look_up(self, store: Store, key: CardKey) -> ModelCard:
        try:
            card = await find_card(store, *key)
        finally:
            del self._lookups[key]
        self._cards.pop(key, None)
        if card.status in KEPT_STATUSES:
            while len(self._cards) >= MAX_CACHED_CARDS:
                del self._cards[next(iter(self._cards))]
            self._cards[key] = (monotonic(), card)
        return card


async def _endpoints(store: Store) -> dict[str, str]:
    """The names of models by their endpoints, from all stores that answer."""
    cards = await store.models.cards()
    return {
        card.dialects.vertex_endpoint: card.name
        for card in reversed(cards)
        if card.dialects.vertex_endpoint is not None
    }


async def find_card(store: Store, name: str, version: str | None) -> ModelCard:
    """The card of the version named, or of the highest version that takes jobs.

    Raises:
        ModelNotFound: no such model or version; names similar models, or the versions there are.
        ModelUnavailable: no worker has announced a model: workers start, or the registry is lost.
        StoreUnavailable: the job store cannot be reached.
    """
    try:
        return await store.models.card(name, version)
    except ModelNotFound:
        cards = await store.models.cards()
    if not cards:
        raise ModelUnavailable("no worker has announced a model yet; try again", retry_after_s=NO_WORKER_RETRY_S)
    if any(card.name == name and version in (None, card.version) for card in cards):
        return await store.models.card(name, version)  # announced between the two calls
    versions = [card.version for card in cards if card.name == name]
    if versions:
        raise _not_found(
            "version",
            Sentence(
                "the model {name} has no such version; its versions: {versions}",
                name=name,
                versions=", ".join(versions),
            ),
        )
    names = list(dict.fromkeys(card.name for card in cards))
    raise _not_found("model", with_suggestion("no such model", name, names, _listed(names)))


def _listed(names: list[str]) -> str:
    """The names of all models, up to `MAX_LISTED_MODELS`."""
    listed, others = ", ".join(names[:MAX_LISTED_MODELS]), len(names) - MAX_LISTED_MODELS
    if others <= 0:
        return Sentence("models: {names}", names=listed)
    return Sentence("models: {names} and {count} more", names=listed, count=others)


def _not_found(field: str, message: str) -> ModelNotFound:
    return ModelNotFound(message, errors=[FieldError(loc=[field], msg=message)])
