"""Equal requests share one computation, unless they say otherwise."""

from typing import Any

import httpx
import pytest

from broker import JobStore
from tests.service.conftest import SETTINGS, client_of
from tests.service.validation.refusals import picture, row

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


async def explain(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The result of a request, once its job has ended."""
    response = await client.post("/explain?wait=10", json=body, headers=headers)
    assert response.status_code == 200, response.text
    found = await client.get(response.json()["links"]["result"])
    assert found.status_code == 200, found.text
    result: dict[str, Any] = found.json()
    assert result["id"] == response.json()["id"]
    return result


async def test_an_equal_request_is_a_hit_and_says_so(client: httpx.AsyncClient) -> None:
    first = await explain(client, picture())
    second = await explain(client, {**picture(), "priority": "batch"})  # which changes no answer
    assert (first["cache"], second["cache"]) == (None, "hit")
    assert second["id"] != first["id"]
    assert second["attributions"] == first["attributions"]
    assert (first["timing"]["rows"], second["timing"]["rows"], second["timing"]["run_ms"]) == (1, 0, 0)
    overlay = await client.get(f"/jobs/{second['id']}/overlay.png")
    assert overlay.status_code == 200
    metrics = (await client.get("/metrics")).text
    assert 'method="saliency",model="efficientnet-lite0@1",outcome="hit",priority="batch"} 1.0' in metrics


@pytest.mark.parametrize(
    "other", [picture(target=1), picture(seed=1), picture(method={"name": "saliency", "abs": False}), row()]
)
async def test_another_question_is_no_hit(client: httpx.AsyncClient, other: dict[str, Any]) -> None:
    await explain(client, picture())
    assert (await explain(client, other))["cache"] is None


async def test_the_client_may_ask_for_a_new_answer(client: httpx.AsyncClient) -> None:
    await explain(client, picture())
    for directive in ("no-cache", "max-age=0, No-Store"):
        assert (await explain(client, picture(), **{"Cache-Control": directive}))["cache"] is None
    assert (await explain(client, picture()))["cache"] == "hit"


async def test_what_is_not_to_be_stored_is_no_answer_to_others(client: httpx.AsyncClient) -> None:
    await explain(client, picture(), **{"Cache-Control": "no-store"})
    assert (await explain(client, picture()))["cache"] is None


async def test_the_operator_may_switch_it_off(store: JobStore) -> None:
    async with client_of(store, SETTINGS.model_copy(update={"cache": False})) as client:
        await explain(client, row())
        assert (await explain(client, row()))["cache"] is None
