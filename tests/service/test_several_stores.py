"""A gateway over two job stores, by HTTP: models on each, merged lists, and one of them away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import GatewaySettings, SettingsError, read_settings
from tests.servers import StoreServer
from tests.service.cards import image_card, table_card, text_card
from tests.service.conftest import client_of
from tests.service.double import WorkerDouble
from tests.service.routes.test_health import samples
from tests.service.validation.refusals import row

pytestmark = pytest.mark.anyio
TABLE, TEXT = table_card().name, text_card().name
ROW = row()
WORDS = {"model": TEXT, "input": {"text": "good"}, "method": {"name": "saliency"}}
Servers = tuple[StoreServer, StoreServer]


@pytest.fixture
def servers() -> Iterator[Servers]:
    """The default store's, and that of texts."""
    with StoreServer() as first, StoreServer() as second:
        yield first, second


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> GatewaySettings:
    path = tmp_path / "stores.toml"
    path.write_text(f'[[store]]\nname = "texts"\nurl = "{servers[1].url}"\nmodels = ["{TEXT}"]\n')
    return GatewaySettings(redis_url=servers[0].url, stores=path, max_wait_s=20)


@pytest.fixture
async def client(settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(None, settings) as client:
        yield client


@pytest.fixture
def idle(servers: Servers, settings: GatewaySettings) -> Iterator[tuple[WorkerDouble, WorkerDouble]]:
    """A worker at each store, with the models of the store, that have not started."""
    cards = ([table_card(), image_card()], [text_card()])
    doubles = [WorkerDouble(server.url, settings.namespace, of) for server, of in zip(servers, cards, strict=True)]
    yield doubles[0], doubles[1]
    for one in doubles:
        one.stop()


@pytest.fixture
def workers(idle: tuple[WorkerDouble, WorkerDouble]) -> tuple[WorkerDouble, WorkerDouble]:
    for one in idle:
        one.start()
    return idle


async def test_jobs_of_both_stores_end_and_are_listed_together(
    client: httpx.AsyncClient, workers: tuple[WorkerDouble, WorkerDouble]
) -> None:
    answers = [await client.post("/explain?wait=15", json=body) for body in (ROW, WORDS, ROW | {"seed": 1})]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    ids = [answer.json()["id"] for answer in answers]
    assert [one.endswith("-texts") for one in ids] == [False, True, False]
    for job_id in ids:
        assert (await client.get(f"/jobs/{job_id}")).json()["status"] == "succeeded"
        assert (await client.get(f"/jobs/{job_id}/result")).status_code == 200
    listed: list[str] = []
    query = "limit=2"
    while True:
        page = (await client.get(f"/jobs?{query}")).json()
        listed += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert listed == ids[::-1]
    of_texts = (await client.get(f"/jobs?model={TEXT}")).json()
    assert [job["id"] for job in of_texts["jobs"]] == [ids[1]]
    assert (await client.get("/jobs?cursor=1772366400000000")).status_code == 422


async def test_models_and_metrics_are_of_both(
    client: httpx.AsyncClient, idle: tuple[WorkerDouble, WorkerDouble]
) -> None:
    assert (await client.get("/readyz")).json()["workers"] == 2
    names = [card["name"] for card in (await client.get("/models")).json()["models"]]
    assert names == sorted([TABLE, image_card().name, TEXT])
    for body in (ROW, WORDS):
        assert (await client.post("/explain", json=body)).status_code == 202
    text = (await client.get("/metrics")).text
    assert samples(text, "attribution_queue_jobs") == {(f"{TABLE}@1",): 1, (f"{TEXT}@1",): 1}
    assert samples(text, "attribution_workers") == {(): 2}
    assert samples(text, "attribution_store_up") == {(): 1}


async def test_events_and_cancelling_follow_the_id(
    client: httpx.AsyncClient, idle: tuple[WorkerDouble, WorkerDouble]
) -> None:
    job = (await client.post("/explain", json=WORDS)).json()["id"]
    events = asyncio.create_task(client.get(f"/jobs/{job}/events"))
    cancelled = await client.delete(f"/jobs/{job}")
    assert cancelled.json()["status"] == "cancelled"
    assert '"status":"cancelled"' in (await events).text


async def test_comparisons_are_of_one_store(
    client: httpx.AsyncClient, workers: tuple[WorkerDouble, WorkerDouble]
) -> None:
    body = {"models": [TEXT], "input": {"text": "good"}, "methods": ["saliency", "input_x_gradient"]}
    answer = await client.post("/compare?wait=15", json=body)
    assert answer.status_code == 200, answer.text
    comparison = answer.json()
    assert comparison["id"].endswith("-texts")
    assert {cell["job"][-6:] for cell in comparison["cells"]} == {"-texts"}
    assert (await client.get(f"/comparisons/{comparison['id']}")).json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "are on different job stores"), ("es", "están en almacenes de trabajos distintos")]
)
async def test_a_comparison_over_stores_is_refused_with_the_reason(
    client: httpx.AsyncClient, idle: tuple[WorkerDouble, WorkerDouble], language: str, words: str
) -> None:
    body = {"models": [TEXT, f"{TABLE}@1"], "input": {"text": "good"}}
    answer = await client.post("/compare", json=body, headers={"Accept-Language": language})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["errors"][0]["loc"] == ["models"]
    assert words in problem["detail"]
    assert f"{TABLE}, {TEXT}" in problem["detail"]


async def test_a_store_that_is_away_takes_only_its_models_along(
    client: httpx.AsyncClient, servers: Servers, idle: tuple[WorkerDouble, WorkerDouble]
) -> None:
    job = (await client.post("/explain", json=WORDS)).json()["id"]
    servers[1].stop()
    idle[0].start()
    assert (await client.post("/explain?wait=15", json=ROW)).status_code == 200
    assert (await client.get(f"/jobs?model={TABLE}")).status_code == 200
    assert [card["name"] for card in (await client.get("/models")).json()["models"]] == sorted(
        [TABLE, image_card().name]
    )
    assert (await client.get("/readyz")).json()["workers"] == 1
    text = (await client.get("/metrics")).text
    assert samples(text, "attribution_store_up") == {(): 0}
    assert samples(text, "attribution_queue_jobs")[(f"{TABLE}@1",)] == 0
    away = [
        await client.get(f"/jobs/{job}"),
        await client.get(f"/jobs/{job}/result"),
        await client.get(f"/models/{TEXT}"),
        await client.get("/jobs"),
        await client.get(f"/jobs?model={TEXT}"),
        await client.post("/v1/projects/p/locations/l/endpoints/of-a-text:explain", json={"instances": [{}]}),
    ]
    assert [answer.status_code for answer in away] == [503] * len(away)
    for answer in away[:-1]:
        assert answer.json()["type"].endswith(":store-unavailable")
        assert "Retry-After" in answer.headers
    absent = f"/jobs/{'x' * 22}"
    assert (await client.get(absent)).status_code == 404
    assert (await client.get(f"{absent}-texts")).status_code == 503


def test_a_mistake_in_the_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stores.toml"
    path.write_text('[[store]]\nname = "texts"\nurl = "http://:hunter2@store"\nmodels = ["a"]\n')
    monkeypatch.setenv("ATTRIBUTION_STORES", str(path))
    with pytest.raises(SettingsError, match=r"ATTRIBUTION_STORES: .*store 1: .*url") as caught:
        read_settings()
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("ATTRIBUTION_STORES", "")
    assert read_settings().stores is None
