"""`/models/{name}/load` and `/unload`, and what requests hear of models that are not in service."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from broker import JobStore
from service.settings import GatewaySettings
from tests.service.cards import failed_card, table_card, tensor_card
from tests.service.conftest import client_of
from tests.service.double import WorkerDouble
from tests.service.keys import key, write_keys
from tests.service.validation.refusals import row

pytestmark = pytest.mark.anyio
KEY = "correct-horse-battery-staple"
SHOWN = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
async def admin(store: JobStore, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that has a key, and which shows it."""
    keys = write_keys(tmp_path, key("operator", KEY, scopes=["admin", "explain"]))
    async with client_of(store, GatewaySettings(keys=keys, max_wait_s=20)) as client:
        client.headers.update(SHOWN)
        yield client


async def execute_next(worker: WorkerDouble) -> None:
    """The double claims to have executed the next command."""
    batch = await asyncio.to_thread(worker.queue.commands.read, worker.command, 10_000)
    while batch.latest == worker.command:
        batch = await asyncio.to_thread(worker.queue.commands.read, worker.command, 10_000)
    worker.command = batch.latest
    worker.announce()


@pytest.mark.parametrize("action", ["load", "unload"])
async def test_without_a_key_the_routes_are_off(client: httpx.AsyncClient, action: str) -> None:
    answer = await client.post(f"/models/breast-cancer-mlp/{action}", headers=SHOWN)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:attribution-service:problem:admin-disabled")
    assert "ATTRIBUTION_KEYS" in answer.json()["detail"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {KEY}", KEY, "Bearer ", f"Bearer {KEY}x", "Bearer ñ"])
async def test_only_the_key_opens_them(
    admin: httpx.AsyncClient, store: JobStore, idle_worker: WorkerDouble, header: str | None
) -> None:
    del admin.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = await admin.post("/models/breast-cancer-mlp/unload", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await store.models.card("breast-cancer-mlp")).status == "ready"


async def test_the_key_is_not_logged(
    admin: httpx.AsyncClient,
    idle_worker: WorkerDouble,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await admin.post("/models/breast-cancer-mlp/load")
    await admin.post("/models/breast-cancer-mlp/load", headers={"Authorization": f"Bearer {KEY}!"})
    said = "".join(capfd.readouterr()) + caplog.text
    assert "/models/{name}/load" in said
    assert KEY not in said


async def test_unloaded_models_refuse_requests(admin: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    answer = await admin.post("/models/breast-cancer-mlp/unload")
    assert answer.status_code == 202
    assert answer.headers["location"] == "/models/breast-cancer-mlp"
    command = answer.json()
    assert (command["action"], command["done"]) == ("unload", False)
    assert [(one["version"], one["status"]) for one in command["models"]] == [("1", "unloaded")]
    refused = await admin.post("/explain", json=row())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:attribution-service:problem:model-unloaded")
    assert "breast-cancer-mlp" in refused.json()["detail"]
    assert (await admin.get(answer.headers["location"])).json()["status"] == "unloaded"
    assert (await admin.post("/models/breast-cancer-mlp/load")).status_code == 202
    assert (await admin.post("/explain", json=row())).status_code == 202


async def test_waiting_until_the_workers_have_acted(admin: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    idle_worker.cards = [table_card(), tensor_card("extra", [[3]], version="2"), tensor_card("extra", [[3]])]
    acting = asyncio.create_task(execute_next(idle_worker))
    answer = await admin.post("/models/extra/load?wait=20", json={"version": "2"})
    await acting
    assert answer.status_code == 200, answer.text
    command = answer.json()
    assert (command["version"], command["done"]) == ("2", True)
    (model,) = command["models"]
    assert (model["name"], model["version"], model["status"]) == ("extra", "2", "ready")
    assert model["residence"][0]["worker"] == "double"
    assert answer.headers["location"] == "/models/extra?version=2"


async def test_every_version_or_one(admin: httpx.AsyncClient, idle_worker: WorkerDouble, store: JobStore) -> None:
    idle_worker.cards = [tensor_card("extra", [[3]], version=version) for version in ("2", "10")]
    idle_worker.announce()
    shown = (await admin.get("/models")).json()["models"]
    assert [card["version"] for card in shown if card["name"] == "extra"] == ["2", "10"]
    await admin.post("/models/extra/unload?version=10")
    assert (await store.models.card("extra")).version == "2"
    assert (await store.models.card("extra", "10")).status == "unloaded"
    both = await admin.post("/models/extra/unload")
    assert [one["status"] for one in both.json()["models"]] == ["unloaded"] * 2


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("nothing/unload", None, 404, "no model nothing"),
        ("breast-cancer-mlp/unload?version=7", None, 404, "no version 7"),
        ("..%5c/load", None, 404, "no such model"),
        ("breast-cancer-mlp/load?version=a%2fb", None, 422, "version"),
        ("breast-cancer-mlp/load", b"{", 400, "not JSON"),
        ("breast-cancer-mlp/load", b'{"path": "/etc"}', 422, "path"),
        ("breast-cancer-mlp/load?version=1", b'{"version": "2"}', 422, "another one"),
        ("breast-cancer-mlp/load?wait=-1", None, 422, "wait"),
    ],
)
async def test_what_is_refused(
    admin: httpx.AsyncClient, idle_worker: WorkerDouble, path: str, body: bytes | None, status: int, told: str
) -> None:
    answer = await admin.post(f"/models/{path}", content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.text


async def test_a_name_that_no_folder_has(admin: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    acting = asyncio.create_task(execute_next(idle_worker))
    answer = await admin.post("/models/unheard-of/load?wait=20")
    await acting
    assert answer.status_code == 404
    assert "no worker has a folder" in answer.json()["detail"]


async def test_a_newer_version_that_failed_leaves_the_older_in_service(
    admin: httpx.AsyncClient, idle_worker: WorkerDouble
) -> None:
    broken = failed_card().model_copy(update={"name": "breast-cancer-mlp", "version": "2"})
    idle_worker.cards = [table_card(), broken]
    idle_worker.announce()
    idle_worker.start()
    done = await admin.post("/explain?wait=20", json=row())
    assert (await admin.get(done.json()["links"]["result"])).json()["model"]["version"] == "1"
    assert (await admin.post("/explain", json=row() | {"version": "2"})).status_code == 503
    listed = (await admin.get("/jobs?model=breast-cancer-mlp&version=1")).json()["jobs"]
    assert [job["id"] for job in listed] == [done.json()["id"]]
    assert (await admin.get("/jobs?model=breast-cancer-mlp&version=2")).json()["jobs"] == []


async def test_a_model_that_is_loading_asks_for_patience(admin: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    loading = failed_card().model_copy(update={"name": "fresh", "status": "loading", "error": None})
    idle_worker.cards = [loading]
    idle_worker.announce()
    answer = await admin.post("/explain", json=row() | {"model": "fresh"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "being loaded" in answer.json()["detail"]


async def test_a_model_out_of_memory_takes_requests(admin: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    idle_worker.cards = [table_card().model_copy(update={"status": "idle"})]
    idle_worker.announce()
    assert (await admin.post("/explain", json=row())).status_code == 202
