"""Monitors and API keys: whose they are, whose jobs they watch, and what they keep of an input."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

from broker import JobStore, WorkerQueue
from broker.tuning import MAX_KEY_MONITORS
from schemas.results import ResultMeta
from service.settings import GatewaySettings
from tests.service.conftest import client_of, finished
from tests.service.double import WorkerDouble
from tests.service.keys import bearer, key, write_keys
from tests.service.routes.monitored import BODY, feed
from tests.service.validation.refusals import row
from workers.monitors.keeper import MonitorKeeper

pytestmark = pytest.mark.anyio
ANA, BEN, OPS = "attr_ana", "attr_ben", "attr_ops"


@pytest.fixture
async def guarded(store: JobStore, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = write_keys(
        tmp_path,
        key("ana", ANA),
        key("ben", BEN),
        key("ops", OPS, ["admin"]),
        key("mon", "attr_mon", ["metrics"]),
    )
    async with client_of(store, GatewaySettings(keys=keys, max_wait_s=20)) as client:
        yield client


async def test_anothers_monitor_looks_like_one_that_does_not_exist(
    guarded: httpx.AsyncClient, idle_worker: WorkerDouble
) -> None:
    assert (await guarded.put("/monitors/tables", json=BODY, headers=bearer(ANA))).status_code == 201
    for verb in ("GET", "DELETE"):
        for secret in (BEN, OPS):
            told = [await guarded.request(verb, f"/monitors/{n}", headers=bearer(secret)) for n in ("tables", "nobody")]
            assert [one.status_code for one in told] == [404, 404]
            assert told[0].text.replace("tables", "…") == told[1].text.replace("nobody", "…")
    assert (await guarded.get("/monitors", headers=bearer(BEN))).json() == {"monitors": []}
    other = await guarded.put("/monitors/tables", json={**BODY, "window": 100}, headers=bearer(BEN))
    assert other.status_code == 201, "names of two keys are apart"
    assert (await guarded.get("/monitors/tables", headers=bearer(ANA))).json()["window"] == 50


async def test_a_key_watches_its_own_jobs_and_an_operator_all(
    guarded: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, keeper: MonitorKeeper
) -> None:
    """Words of another's texts would else be shown."""
    answer = await guarded.post("/explain?wait=15", json=row(), headers=bearer(BEN))
    job_id = answer.json()["id"]
    views = {}
    for secret in (ANA, BEN, OPS):
        views[secret] = (await guarded.put("/monitors/m", json=BODY, headers=bearer(secret))).json()
    assert [one["watches"] for one in views.values()] == ["own key", "own key", "all keys"]
    await asyncio.to_thread(keeper.step)
    await feed(store, keeper, job_id, 3, owner="ben")
    counts = {}
    for secret in (ANA, BEN, OPS):
        counts[secret] = (await guarded.get("/monitors/m", headers=bearer(secret))).json()["counts"]["reference"]
    assert counts == {ANA: 0, BEN: 3, OPS: 3}
    stolen = {**BODY, "reference": {"jobs": [job_id]}}
    assert (await guarded.put("/monitors/n", json=stolen, headers=bearer(ANA))).status_code == 404
    assert (await guarded.put("/monitors/n", json=stolen, headers=bearer(BEN))).status_code == 201
    assert (await guarded.put("/monitors/n", json=stolen, headers=bearer(OPS))).status_code == 201


async def test_a_key_has_so_many_and_is_told(guarded: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    for number in range(MAX_KEY_MONITORS):
        assert (await guarded.put(f"/monitors/m{number}", json=BODY, headers=bearer(ANA))).status_code == 201
    full = await guarded.put("/monitors/more", json=BODY, headers=bearer(ANA) | {"Accept-Language": "es"})
    assert (full.status_code, full.json()["detail"]) == (409, "se conservan 8 monitores como máximo; elimine uno")


async def test_the_label_of_a_gauge_names_the_key(
    guarded: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, keeper: MonitorKeeper
) -> None:
    answer = await guarded.post("/explain?wait=15", json=row(), headers=bearer(ANA))
    await guarded.put("/monitors/m", json=BODY, headers=bearer(ANA))
    await asyncio.to_thread(keeper.step)
    await feed(store, keeper, answer.json()["id"], 100, owner="ana")
    text = (await guarded.get("/metrics", headers=bearer("attr_mon"))).text
    assert 'attribution_drift{monitor="ana/m",statistic="psi_max"} 0.0' in text


async def test_inputs_are_not_kept(
    client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, keeper: MonitorKeeper, queue_dump: Any
) -> None:
    """A table's values appear nowhere in what monitors keep."""
    job_id = await finished(client, row())
    values = [one.value for one in ResultMeta.model_validate_json((await store.results.get(job_id))[0]).features[0]]  # type: ignore[index]
    await client.put("/monitors/m", json={**BODY, "method": "saliency"})
    await asyncio.to_thread(keeper.step)
    meta, tensors = await store.results.get(job_id)
    document = orjson.loads(meta)
    for one in document["features"][0]:
        one["score"] = 1.0  # the double attributes the values themselves
    spec = (await store.jobs.get(job_id)).spec
    for _ in range(110):
        keeper._watching.observe(spec, ResultMeta.model_validate(document), tensors, ())
        if _ in (20, 109):
            await asyncio.to_thread(keeper.step)
            kept = queue_dump()
            for value in values:
                assert repr(value).encode() not in kept
                assert np.float32(value).tobytes() not in kept


@pytest.fixture
def queue_dump(idle_worker: WorkerDouble) -> Any:
    queue: WorkerQueue = idle_worker.queue
    client = queue.monitors._connection.client

    def dump() -> bytes:
        """All that monitors keep, as bytes."""
        parts: list[bytes] = []
        for name in client.keys(queue.monitors._keys.monitors.removesuffix("s") + "*"):  # type: ignore[union-attr]
            kind: Any = client.type(name)
            if kind == b"hash":
                fields: Any = client.hgetall(name)
                parts += [*fields.keys(), *fields.values()]
            elif kind == b"list":
                parts += client.lrange(name, 0, -1)  # type: ignore[arg-type]
            elif kind == b"string":
                parts.append(client.get(name))  # type: ignore[arg-type]
        assert parts
        return b"\n".join(parts)

    return dump
