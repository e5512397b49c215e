"""Drawings over HTTP: an equal request draws nothing, and no kept drawing is shown to those who may not see it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from broker import JobStore
from service.results import representation
from service.routes import results
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.conftest import client_of, finished
from tests.service.keys import bearer, key, write_keys
from tests.service.validation.refusals import picture, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
ANA, BEN = (f"attr_{name}-0123456789-0123456789-0123456789" for name in ("ana", "ben"))
Counted = list[str]


def counting(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Counted:
    """One entry for each call of a function of a module from now on."""
    calls: Counted = []
    function: Callable[..., bytes] = getattr(module, name)

    def counted(*arguments: Any, **named: Any) -> bytes:
        calls.append(name)
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, counted)
    return calls


async def test_equal_requests_draw_once(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = counting(monkeypatch, representation, "draw_overlay")
    job_id = await finished(client, picture())
    url = f"/jobs/{job_id}/overlay.png"
    answers = await asyncio.gather(*(client.get(url) for _ in range(5)))
    result = await client.get(f"/jobs/{job_id}/result", headers={"Accept": "image/png"})
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in [*answers, result]} == {answers[0].content}
    assert len(drawn) == 1


async def test_whatever_changes_the_drawing_is_drawn(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = counting(monkeypatch, representation, "draw_overlay")
    jobs = [await finished(client, picture(seed=seed)) for seed in (1, 2)]
    queries = ["", "?sign=all", "?alpha=0.5", "?percentile=90", "?style=masked", "?size=96", "?lang=es", "?limit=2"]
    seen = [(await client.get(f"/jobs/{job}/overlay.png{query}")).content for query in queries for job in jobs]
    assert len(drawn) == len(seen)
    assert len(set(seen)) >= len(queries)


async def test_a_size_that_is_given_is_not_the_default_of_words(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, text())
    default, given = [(await client.get(f"/jobs/{job_id}/overlay.png{query}")).content for query in ("", "?size=512")]
    assert default != given


async def test_curves_are_drawn_once(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = counting(monkeypatch, results, "draw_quality")
    job_id = await finished(client, picture(quality=["deletion_insertion"]))
    for form in ("png", "svg", "png", "svg"):
        assert (await client.get(f"/jobs/{job_id}/quality.{form}")).status_code == 200
    assert len(drawn) == 2


async def test_what_is_refused_is_refused_again(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, picture())
    for _ in range(2):
        assert (await client.get(f"/jobs/{job_id}/overlay.png?example=3")).status_code == 422


async def test_a_kept_drawing_of_a_job_that_has_expired_is_not_sent(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str
) -> None:
    job_id = await finished(client, picture(quality=["deletion_insertion"]))
    paths = [f"/jobs/{job_id}/{name}" for name in ("overlay.png", "quality.png")]
    assert {(await client.get(path)).status_code for path in paths} == {200}
    with redis.Redis.from_url(store_server.url) as database:
        database.delete(*database.keys(f"{namespace}:*{job_id}*"))
    assert {(await client.get(path)).status_code for path in paths} == {404}


async def test_a_kept_drawing_is_shown_to_its_key_only(store: JobStore, tmp_path: Path) -> None:
    settings = GatewaySettings(keys=write_keys(tmp_path, key("ana", ANA), key("ben", BEN)))
    async with client_of(store, settings) as client:
        job = await client.post("/explain?wait=15", json=picture(), headers=bearer(ANA))
        url = f"/jobs/{job.json()['id']}/overlay.png"
        statuses = [(await client.get(url, headers=bearer(secret))).status_code for secret in (ANA, BEN, ANA)]
        assert statuses == [200, 404, 200]
        assert (await client.get(url)).status_code == 401
