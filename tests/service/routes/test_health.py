"""Health, metrics, and what happens when Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker import JobStore
from tests.servers import StoreServer
from tests.service.conftest import client_of
from tests.service.validation.refusals import row

pytestmark = pytest.mark.anyio
ANSWER_WITHIN_S = 10.0  # the store is given up after two; a machine under load adds one, a hang never ends
ROUTES_OF_THE_STORE = [
    ("POST", "/explain"),
    ("GET", "/jobs"),
    ("GET", "/jobs/some-job"),
    ("DELETE", "/jobs/some-job"),
    ("GET", "/jobs/some-job/events"),
    ("GET", "/jobs/some-job/result"),
    ("GET", "/jobs/some-job/overlay.png"),
    ("GET", "/jobs/some-job/quality.png"),
    ("GET", "/models"),
    ("GET", "/models/some-model"),
    ("GET", "/readyz"),
]

Sample = dict[tuple[str, ...], float]


def samples(exposition: str, name: str) -> Sample:
    """A metric's values by the values of its labels, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == name
    }


@pytest.fixture
def own_server() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
async def fragile(own_server: StoreServer) -> AsyncIterator[httpx.AsyncClient]:
    store = JobStore(own_server.url)
    async with client_of(store) as client:
        yield client
    await store.close()


async def test_healthz(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "workers": None})


@pytest.mark.usefixtures("idle_worker")
async def test_ready(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "workers": 1})


async def test_not_ready_without_a_worker(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["detail"] == "no live worker; start one"
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.usefixtures("idle_worker")
async def test_metrics(client: httpx.AsyncClient) -> None:
    await client.post("/explain", json=row())
    await client.post("/explain", json=row(target="nobody"))
    await client.get("/jobs/unknown-one")
    await client.get("/no/such/route")
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = response.text
    assert samples(text, "attribution_http_requests_total") == {
        ("POST", "/explain", "202"): 1,
        ("POST", "/explain", "422"): 1,
        ("GET", "/jobs/{job_id}", "404"): 1,
        ("GET", "unmatched", "404"): 1,
    }
    assert samples(text, "attribution_http_request_seconds_count")["POST", "/explain"] == 2
    submitted = samples(text, "attribution_jobs_submitted_total")
    assert submitted == {("saliency", "breast-cancer-mlp@1", "created", "interactive"): 1}
    assert samples(text, "attribution_admissions_total") == {("", "accepted"): 1}
    assert samples(text, "attribution_queue_jobs") == {("breast-cancer-mlp@1",): 1}
    assert samples(text, "attribution_workers") == {(): 1}
    assert samples(text, "attribution_store_up") == {(): 1}
    assert samples(text, "attribution_worker_jobs_total") == {("efficientnet-lite0@1", "double"): 4}


@pytest.mark.parametrize("outage", ["stop", "pause"])
async def test_without_redis(fragile: httpx.AsyncClient, own_server: StoreServer, outage: str) -> None:
    async def ask(method: str, path: str) -> tuple[float, httpx.Response]:
        began = time.monotonic()
        response = await fragile.request(method, path, json=row() if method == "POST" else None)
        return time.monotonic() - began, response

    getattr(own_server, outage)()
    try:
        answers = await asyncio.gather(*(ask(method, path) for method, path in ROUTES_OF_THE_STORE))
        for elapsed_s, response in answers:
            assert elapsed_s < ANSWER_WITHIN_S
            assert response.status_code == 503, (response.url, response.text)
            assert response.json()["type"].endswith("store-unavailable")
            assert int(response.headers["retry-after"]) >= 1
        assert (await fragile.get("/healthz")).status_code == 200
        assert (await fragile.get("/methods")).status_code == 200
        metrics = await fragile.get("/metrics")
        assert samples(metrics.text, "attribution_store_up") == {(): 0}
    finally:
        if outage == "pause":
            own_server.resume()


async def test_recovery(fragile: httpx.AsyncClient, own_server: StoreServer) -> None:
    own_server.stop()
    assert (await fragile.get("/jobs")).status_code == 503
    own_server.start()
    assert (await fragile.get("/jobs")).status_code == 200
