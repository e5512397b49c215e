"""Two gateways over two stores, and a worker at each, as real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.parts import GatewayPart, WorkerPart
from tests.e2e.toy_repository import MODEL_PY, MODEL_TOML
from tests.e2e.watching import LIMIT_S
from tests.paths import ROOT
from tests.servers import StoreServer

FIRST, SECOND = "first", "second"  # models, of the default store and of the other one


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[StoreServer, StoreServer]]:
    with StoreServer() as default, StoreServer() as other:
        yield default, other


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with both models, and what the processes write."""
    folder = tmp_path_factory.mktemp("several")
    for name in (FIRST, SECOND):
        model = folder / "models" / name
        model.mkdir(parents=True)
        (model / "model.toml").write_text(MODEL_TOML.replace('"slow"', f'"{name}"'))
        (model / "model.py").write_text(MODEL_PY)
    return folder


def stores_file(folder: Path, url: str) -> Path:
    path = folder / "stores.toml"
    path.write_text(f'[[store]]\nname = "other"\nurl = "{url}"\nmodels = ["{SECOND}"]\n')
    return path


@pytest.fixture(scope="module")
def clients(stores: tuple[StoreServer, StoreServer], folder: Path) -> Iterator[list[httpx.Client]]:
    """Of two gateways, over workers that each hold the model of their store."""
    path = stores_file(folder, stores[1].url)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(WorkerPart(folder / name, store, folder / "models", ATTRIBUTION_SERVE=name))
            for store, name in zip(stores, (FIRST, SECOND), strict=True)
        ]
        gateways = [
            stack.enter_context(GatewayPart(folder / f"gateway-{at}", stores[0], ATTRIBUTION_STORES=str(path)))
            for at in range(2)
        ]
        for worker in workers:
            worker.wait_until_serving()
        urls = [gateway.wait_until_alive().url for gateway in gateways]
        yield [stack.enter_context(httpx.Client(base_url=url, timeout=LIMIT_S, trust_env=False)) for url in urls]


def body(model: str, value: float = 1.0) -> dict[str, Any]:
    return {
        "model": model,
        "input": {"tensor": {"shape": [1, 4], "data": [value, -1.0, 0.5, 2.0]}},
        "method": {"name": "saliency"},
        "target": 1,
    }


def test_any_gateway_finds_the_jobs_of_any_store(clients: list[httpx.Client]) -> None:
    ids = []
    for at, model in enumerate((FIRST, SECOND, SECOND, FIRST)):
        answer = clients[at % 2].post("/explain?wait=60", json=body(model, float(at)))
        assert answer.json()["status"] == "succeeded", answer.text
        ids.append(answer.json()["id"])
    assert [one.endswith("-other") for one in ids] == [False, True, True, False]
    results = [[client.get(f"/jobs/{one}/result").json() for one in ids] for client in clients]
    assert results[0] == results[1]
    for client in clients:
        page = client.get("/jobs?limit=3").json()
        rest = client.get(f"/jobs?limit=3&cursor={page['next']}").json()
        assert [job["id"] for job in [*page["jobs"], *rest["jobs"]]] == ids[::-1]
        assert {card["name"]: card["status"] for card in client.get("/models").json()["models"]} == {
            FIRST: "ready",
            SECOND: "ready",
        }


def test_a_store_goes_away_and_comes_back(clients: list[httpx.Client], stores: tuple[StoreServer, StoreServer]) -> None:
    stores[1].pause()
    try:
        assert clients[0].post("/explain?wait=60", json=body(FIRST, 7.0)).json()["status"] == "succeeded"
        away = clients[1].post("/explain?wait=60", json=body(SECOND, 7.0))
        assert (away.status_code, "Retry-After" in away.headers) == (503, True)
        assert "attribution_store_up 0.0" in clients[1].get("/metrics").text
    finally:
        stores[1].resume()
    assert clients[1].post("/explain?wait=60", json=body(SECOND, 7.0)).json()["status"] == "succeeded"
    assert "attribution_store_up 1.0" in clients[1].get("/metrics").text


def test_a_cluster_among_the_stores_is_refused_by_its_name(
    stores: tuple[StoreServer, StoreServer], tmp_path: Path
) -> None:
    with StoreServer(options={"cluster-enabled": "yes"}) as cluster:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
        own = {
            "ATTRIBUTION_REDIS_URL": stores[0].url,
            "ATTRIBUTION_STORES": str(stores_file(tmp_path, cluster.url)),
        }
        command = [sys.executable, "-P", "-m", "cli", "gateway", "--port", "0"]
        done = subprocess.run(
            command, cwd=ROOT, env={**inherited, **own}, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 2
    assert "ATTRIBUTION_STORES, other names a server of a Redis Cluster" in " ".join(done.stderr.split())
