"""Gateways and workers of different versions share one store, and damaged records hide nothing else."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
import redis

from broker import JobStore
from tests.broker.damage import changed, damage_field, damage_value, emptied, garbage, truncated, without
from tests.servers import StoreServer
from tests.service.conftest import finished
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row, text

pytestmark = pytest.mark.anyio
Damage = Callable[[bytes], bytes]
SAFETENSORS, JSON, NPY = "application/vnd.safetensors", "application/json", "application/x-npy"


@pytest.fixture
def raw(store_server: StoreServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(store_server.url) as client:
        yield client


async def listings_work(client: httpx.AsyncClient) -> None:
    for path in ("/jobs", "/models", "/metrics", "/readyz", "/healthz"):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)


def ahead(text: bytes) -> bytes:
    """A job of a gateway that is one field ahead, on every level."""
    spec = json.loads(text)
    spec["deadline_ms"] = 5
    spec["method"]["frames"] = 8
    return json.dumps(spec).encode()


async def test_a_worker_runs_the_job_of_a_gateway_one_field_ahead(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, raw: redis.Redis, namespace: str
) -> None:
    job = (await client.post("/explain", json=row())).json()
    damage_field(raw, f"{namespace}:job:{job['id']}", "spec", ahead)
    shown = (await client.get(f"/jobs/{job['id']}")).json()
    assert (shown["status"], shown["method"]) == ("queued", job["method"])
    idle_worker.start()
    result = await client.get(f"/jobs/{await finished(client, row(seed=1))}/result")
    assert result.status_code == 200
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "succeeded"


async def test_a_worker_runs_the_job_of_a_gateway_one_field_behind(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, raw: redis.Redis, namespace: str
) -> None:
    job = (await client.post("/explain", json=row())).json()
    damage_field(raw, f"{namespace}:job:{job['id']}", "spec", without("digest", "rows", "quality", "picture"))
    idle_worker.start()
    await finished(client, row(seed=1))
    assert (await client.get(f"/jobs/{job['id']}")).json()["status"] == "succeeded"


@pytest.mark.usefixtures("idle_worker")
async def test_a_gateway_passes_on_what_a_later_worker_says_of_a_model(
    client: httpx.AsyncClient, raw: redis.Redis, namespace: str
) -> None:
    key = f"{namespace}:card:ready breast-cancer-mlp@1"

    def later(text: bytes) -> bytes:
        card = json.loads(text)
        card["fairness"] = {"tested": True}
        card["input"]["sparse"] = False
        card["methods"][0]["since"] = "2"
        return json.dumps(card).encode()

    damage_value(raw, key, later)
    damage_value(raw, f"{namespace}:worker:double", changed(zone="b"))
    card = (await client.get("/models/breast-cancer-mlp")).json()
    assert (card["fairness"], card["input"]["sparse"], card["methods"][0]["since"]) == ({"tested": True}, False, "2")
    assert card["residence"][0]["worker"] == "double"
    assert (await client.post("/explain", json=row())).status_code == 202


async def test_a_later_workers_result_and_counters_are_read(
    client: httpx.AsyncClient, worker: WorkerDouble, raw: redis.Redis, namespace: str
) -> None:
    job_id = await finished(client, row())
    damage_value(raw, f"{namespace}:result:{job_id}", changed(energy_joules=3))
    result = await client.get(f"/jobs/{job_id}/result")
    assert result.json()["energy_joules"] == 3
    assert (await client.get(f"/jobs/{job_id}/overlay.png")).status_code == 200
    damage_value(
        raw,
        f"{namespace}:worker:double",
        lambda text: text.replace(b'"jobs_total":4', b'"jobs_total":4,"fused_total":1'),
    )
    metrics = (await client.get("/metrics")).text
    assert "attribution_worker_jobs_total" in metrics
    assert "fused_total" not in metrics


DAMAGES: list[Damage] = [truncated, garbage, emptied, lambda _: b"[]", lambda _: b"null"]


@pytest.mark.parametrize("how", [*DAMAGES, changed(status="of_a_later_version"), without("name"), changed(layers=3)])
@pytest.mark.usefixtures("idle_worker")
async def test_a_damaged_card_hides_no_other(
    client: httpx.AsyncClient, raw: redis.Redis, namespace: str, how: Damage
) -> None:
    before = {card["name"] for card in (await client.get("/models")).json()["models"]}
    damage_value(raw, f"{namespace}:card:ready minilm-sentiment@1", how)
    after = {card["name"] for card in (await client.get("/models")).json()["models"]}
    assert after == before - {"minilm-sentiment"}
    assert (await client.get("/models/minilm-sentiment")).status_code == 503
    assert (await client.post("/explain", json=text())).status_code == 503
    assert (await client.post("/explain", json=row())).status_code == 202
    await listings_work(client)


@pytest.mark.usefixtures("idle_worker")
async def test_names_that_are_none(client: httpx.AsyncClient, raw: redis.Redis, namespace: str) -> None:
    raw.zadd(f"{namespace}:cards", {b"\xff\xfe": 9e15, b"ready": 9e15, b"later x@1": 9e15, b"ready x@": 9e15})
    raw.sadd(f"{namespace}:unloaded", b"\xff\xfe", b"x")
    raw.sadd(f"{namespace}:queues", b"\xff\xfe", b"x")
    raw.zadd(f"{namespace}:workers", {b"\xff\xfe": 9e15})
    await listings_work(client)
    assert (await client.post("/explain", json=row())).status_code == 202


@pytest.mark.parametrize(
    "how", [*DAMAGES, changed(executed_command="x"), changed(models=["x"]), changed(pid="p"), without("id")]
)
async def test_a_damaged_worker_record_hides_no_other_worker(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, store: JobStore, raw: redis.Redis, namespace: str, how: Damage
) -> None:
    good = raw.get(f"{namespace}:worker:double")
    assert good is not None
    raw.set(f"{namespace}:worker:other", how(good))
    raw.zadd(f"{namespace}:workers", {"other": 9e15})
    await listings_work(client)
    assert [worker.id for worker in await store.workers.live()] == ["double"]
    command = await store.admin_commands.load("breast-cancer-mlp")
    assert not await store.admin_commands.is_executed(command)
    idle_worker.command = command
    idle_worker.announce()
    assert await store.admin_commands.is_executed(command)


async def test_a_damaged_command_is_skipped(
    idle_worker: WorkerDouble, store: JobStore, raw: redis.Redis, namespace: str
) -> None:
    commands = idle_worker.queue.commands
    start = commands.latest().latest
    raw.xadd(f"{namespace}:commands", {"action": "load"})
    raw.xadd(f"{namespace}:commands", {"action": "load", "model": b"\xff", "version": ""})
    raw.xadd(f"{namespace}:commands", {"action": "defragment", "model": "m", "version": ""})
    given = await store.admin_commands.load("m")
    raw.sadd(f"{namespace}:unloaded", b"\xff\xfe")
    batch = commands.read(start)
    assert list(batch.loads) == [given]
    assert batch.latest == given


@pytest.mark.parametrize("part", ["result", "tensors"])
@pytest.mark.parametrize("how", DAMAGES)
async def test_a_damaged_result_is_said_to_be_one(
    client: httpx.AsyncClient, worker: WorkerDouble, raw: redis.Redis, namespace: str, part: str, how: Damage
) -> None:
    bad, good = await finished(client, row()), await finished(client, row(seed=1))
    damage_value(raw, f"{namespace}:{part}:{bad}", how)
    for accept in (JSON, NPY):
        answer = await client.get(f"/jobs/{bad}/result", headers={"Accept": accept})
        assert answer.status_code == 409
        assert "unreadable" in answer.json()["detail"]
        assert (await client.get(f"/jobs/{good}/result", headers={"Accept": accept})).status_code == 200
    if part == "result":
        assert (await client.get(f"/jobs/{bad}/overlay.png")).status_code == 409
    await listings_work(client)


@pytest.mark.parametrize("field", ["spec", "status", "method"])
async def test_every_route_survives_a_damaged_job(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, raw: redis.Redis, namespace: str, field: str
) -> None:
    bad = (await client.post("/explain", json=row())).json()["id"]
    how = changed(method={"name": "of_a_later_version"}) if field == "method" else truncated
    damage_field(raw, f"{namespace}:job:{bad}", "spec" if field == "method" else field, how)
    await listings_work(client)
    shown = (await client.get(f"/jobs/{bad}")).json()
    assert shown["error"]["code"] == "unreadable"
    idle_worker.start()
    await finished(client, row(seed=1))
    shown = (await client.get(f"/jobs/{bad}")).json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "unreadable")
    assert (await client.get(f"/jobs/{bad}/result")).status_code == 409
    assert "unreadable" in (await client.get(f"/jobs/{bad}/events")).text
    assert bad in [job["id"] for job in (await client.get("/jobs?status=failed")).json()["jobs"]]


async def test_requests_stay_strict(client: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    answer = await client.post("/explain", json={**row(), "deadline_ms": 5})
    assert answer.status_code == 422
    answer = await client.post("/explain", json={**row(), "method": {"name": "saliency", "frames": 8}})
    assert answer.status_code == 422
