"""`GET /models` and `GET /models/{name}`."""

import httpx
import pytest

from schemas.models import ModelCard
from service.http.translation import card_in_language
from tests.service.cards import ALL_CARDS, image_card

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("idle_worker")]


def without_residence(card: ModelCard) -> ModelCard:
    return card.model_copy(update={"residence": []})


async def test_models(client: httpx.AsyncClient) -> None:
    cards = [ModelCard.model_validate(card) for card in (await client.get("/models")).json()["models"]]
    assert {card.name: without_residence(card) for card in cards} == {
        card.name: card_in_language(card, "en") for card in ALL_CARDS
    }
    assert [(one.worker, one.status, one.bytes) for card in cards for one in card.residence] == [
        ("double", card.status, None if card.error else 1_048_576) for card in cards
    ]


async def test_one_model(client: httpx.AsyncClient) -> None:
    response = await client.get("/models/efficientnet-lite0?version=1")
    assert without_residence(ModelCard.model_validate_json(response.content)) == card_in_language(image_card(), "en")
    assert (await client.get("/models/broken")).json()["error"] == "model.toml is missing"


@pytest.mark.parametrize(
    ("path", "status", "hinted"),
    [
        ("efficientnet", 404, "did you mean 'efficientnet-lite0'?"),
        ("efficientnet-lite0?version=2", 404, "its versions: 1"),
        ("efficientnet-lite0?version=..%2f", 422, "version"),
        ("..%5c", 404, "no such model"),
        ("x" * 1000, 404, "no such model"),
    ],
)
async def test_no_such_model(client: httpx.AsyncClient, path: str, status: int, hinted: str) -> None:
    response = await client.get(f"/models/{path}")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert hinted in response.text
