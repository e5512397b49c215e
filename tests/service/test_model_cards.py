"""Cards by name: look-ups are shared and cached for a moment, and errors name similar models."""

import asyncio
from typing import cast

import pytest

from broker import JobStore
from schemas.errors import ModelNotFound, ModelUnavailable
from schemas.models import ModelCard
from service import model_cards
from service.model_cards import RecentCards, find_card
from tests.service.cards import failed_card, table_card

pytestmark = pytest.mark.anyio


class Store:
    """Cards in memory, and the number of look-ups."""

    def __init__(self, *cards: ModelCard) -> None:
        self.known = list(cards)
        self.lookups = 0
        self.models = self  # the part of the job store that holds the cards

    async def card(self, name: str, version: str | None) -> ModelCard:
        self.lookups += 1
        await asyncio.sleep(0)
        for card in self.known:
            if card.name == name and version in (None, card.version):
                return card
        raise ModelNotFound("no such model")

    async def cards(self) -> list[ModelCard]:
        return self.known


def as_store(store: Store) -> JobStore:
    return cast("JobStore", store)


async def test_concurrent_requests_share_a_look_up() -> None:
    store, cards = Store(table_card()), RecentCards()
    found = await asyncio.gather(*(cards.find(as_store(store), "breast-cancer-mlp", None) for _ in range(20)))
    assert found == [table_card()] * 20
    assert store.lookups == 1
    await cards.find(as_store(store), "breast-cancer-mlp", "1")
    assert store.lookups == 2


async def test_a_card_is_cached_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(model_cards, "monotonic", lambda: now)
    store, cards = Store(table_card()), RecentCards()
    for _ in range(2):
        await cards.find(as_store(store), "breast-cancer-mlp", None)
    assert store.lookups == 1
    now += 1.0
    await cards.find(as_store(store), "breast-cancer-mlp", None)
    assert store.lookups == 2


async def test_models_that_are_not_ready_are_not_cached() -> None:
    store, cards = Store(failed_card()), RecentCards()
    for _ in range(2):
        assert (await cards.find(as_store(store), "broken", None)).status == "failed"
    assert store.lookups == 2


async def test_a_cancelled_request_does_not_cancel_the_others() -> None:
    store, cards = Store(table_card()), RecentCards()
    first = asyncio.create_task(cards.find(as_store(store), "breast-cancer-mlp", None))
    await asyncio.sleep(0)
    second = asyncio.create_task(cards.find(as_store(store), "breast-cancer-mlp", None))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).name == "breast-cancer-mlp"


async def test_errors_name_what_there_is() -> None:
    store = as_store(Store(table_card()))
    with pytest.raises(ModelNotFound, match="did you mean 'breast-cancer-mlp'") as caught:
        await find_card(store, "breast-cancer", None)
    assert caught.value.errors is not None
    assert caught.value.errors[0].loc == ["model"]
    with pytest.raises(ModelNotFound, match="its versions: 1"):
        await find_card(store, "breast-cancer-mlp", "7")


async def test_an_empty_registry_is_unavailable_not_a_missing_model() -> None:
    with pytest.raises(ModelUnavailable, match="no worker has announced a model") as caught:
        await find_card(as_store(Store()), "m", None)
    assert caught.value.status == 503
    assert caught.value.retry_after_s


class LateStore(Store):
    """Its first look-up comes just before the model is announced."""

    async def card(self, name: str, version: str | None) -> ModelCard:
        if not self.lookups:
            self.lookups += 1
            raise ModelNotFound("no such model")
        return await super().card(name, version)


@pytest.mark.parametrize("version", [None, "1"])
async def test_a_model_announced_between_two_look_ups_is_found(version: str | None) -> None:
    store = LateStore(table_card())
    assert await find_card(as_store(store), "breast-cancer-mlp", version) == table_card()


async def test_another_version_than_the_announced_one_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="no such version; its versions: 1"):
        await find_card(as_store(LateStore(table_card())), "breast-cancer-mlp", "2")
