"""The sheet over HTTP: drawn once for equal requests, and drawn again when a job that it shows has expired."""

import asyncio
from typing import Any

import httpx
import pytest
import redis

from service.comparisons.draw_sheet import SheetPlan
from service.openapi.examples import TINY_PNG
from tests.servers import StoreServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
COMPARISON = {
    "models": ["efficientnet-lite0"],
    "input": {"image": TINY_PNG},
    "methods": ["saliency", "layer_grad_cam"],
}


async def test_a_sheet_is_drawn_once_until_a_job_of_it_expires(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[SheetPlan] = []
    draw: Any = SheetPlan.draw

    def counted(plan: SheetPlan) -> bytes:
        drawn.append(plan)
        return bytes(draw(plan))

    monkeypatch.setattr(SheetPlan, "draw", counted)
    told = (await client.post("/compare?wait=15", json=COMPARISON)).json()
    sheet = told["links"]["sheet"]
    answers = await asyncio.gather(*(client.get(sheet) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(drawn) == 1
    await client.get(sheet, params={"lang": "es"})
    await client.get(sheet, params={"scale": "shared"})
    assert len(drawn) == 3
    with redis.Redis.from_url(store_server.url) as database:
        database.delete(*database.keys(f"{namespace}:*{told['cells'][0]['job']}*"))
    after = await client.get(sheet)
    assert after.status_code == 200
    assert after.content != answers[0].content
    assert len(drawn) == 4
