"""`/monitors`: what is refused, what is shown, and whose it is."""

import asyncio
from typing import Any

import httpx
import pytest

from broker import JobStore
from schemas.limits import MAX_WATCHED_FEATURES
from tests.service.cards import table_card
from tests.service.conftest import finished
from tests.service.double import WorkerDouble
from tests.service.routes.monitored import BODY, feed
from tests.service.validation.refusals import row, text
from workers.monitors.keeper import MonitorKeeper

pytestmark = pytest.mark.anyio
TENSOR = {"name": "integrated_gradients", "baseline": {"tensor": {"shape": [1, 30], "data": [0.0] * 30}}}


async def test_from_the_request_to_the_statistics(
    client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, keeper: MonitorKeeper
) -> None:
    job_id = await finished(client, row())
    made = await client.put("/monitors/tables", json=BODY)
    assert made.status_code == 201
    assert made.headers["location"] == "/monitors/tables"
    first = made.json()
    assert (first["state"], first["statistics"], first["watches"]) == ("collecting reference", None, "all keys")
    assert first["counts"] == {"reference": 0, "window": 0, "observed": 0, "skipped": 0}
    again = await client.put("/monitors/tables", json=BODY)
    assert (again.status_code, again.json()) == (200, first)
    await asyncio.to_thread(keeper.step)
    await feed(store, keeper, job_id, 20)
    assert (await client.get("/monitors/tables")).json()["counts"]["reference"] == 20
    await feed(store, keeper, job_id, 42)
    found = (await client.get("/monitors/tables")).json()
    assert found["state"] == "filling window"
    assert found["counts"] == {"reference": 50, "window": 12, "observed": 12, "skipped": 0}
    assert "attribution_drift{" not in (await client.get("/metrics")).text
    await feed(store, keeper, job_id, 40)
    found = (await client.get("/monitors/tables")).json()
    assert found["state"] == "watching"
    assert found["counts"]["window"] == 50
    statistics = found["statistics"]
    assert (statistics["ndcg"], statistics["psi_max"], statistics["kind"]) == (1.0, 0.0, "columns")
    assert [one["name"] for one in statistics["features"]] == [one.name for one in table_card().input.features or []]  # type: ignore[union-attr]
    assert statistics["classes"][0]["label"] == "malignant"
    text = (await client.get("/metrics")).text
    assert 'attribution_drift{monitor="tables",statistic="ndcg"} 1.0' in text
    listed = (await client.get("/monitors")).json()["monitors"]
    assert [(one["name"], one["statistics"]["features"]) for one in listed] == [("tables", [])]
    assert (await client.delete("/monitors/tables")).status_code == 204
    assert (await client.get("/monitors/tables")).status_code == 404
    assert "attribution_drift{" not in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("change", "loc", "says"),
    [
        ({"method": "no_such"}, ["method"], "no such method"),
        ({"method": {"name": "no_such"}}, ["method", "name"], "no such method"),
        ({"method": {"name": "saliency", "abs": "x"}}, ["method", "abs"], "boolean"),
        ({"method": {"name": "saliency", "steps": 3}}, ["method", "steps"], ""),
        ({"method": None}, ["method"], ""),
        ({"method": 3}, ["method"], ""),
        ({"method": {"name": "integrated_gradients", "baseline": "blur"}}, ["method", "baseline"], "not available"),
        ({"method": TENSOR}, ["method"], "takes no tensors"),
        ({"reference": "first:49"}, ["reference"], "first:50"),
        ({"reference": "first:2001"}, ["reference"], "first:2000"),
        ({"reference": "last:50"}, ["reference"], ""),
        ({"reference": {"jobs": []}}, ["reference", "jobs"], ""),
        ({"reference": {"jobs": ["a b"]}}, ["reference", "jobs", 0], ""),
        ({"reference": {"jobs": ["a"] * 501}}, ["reference", "jobs"], ""),
        ({"window": 49}, ["window"], ""),
        ({"window": 55}, ["window"], "10"),
        ({"window": 10_010}, ["window"], ""),
        ({"window": "x"}, ["window"], ""),
        ({"model": "a/b"}, ["model"], ""),
        ({"threshold": 0.9}, ["threshold"], ""),
    ],
)
async def test_what_is_refused(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, change: dict[str, Any], loc: list[Any], says: str
) -> None:
    answer = await client.put("/monitors/m", json={**BODY, **change})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["loc"] == loc, answer.json()["errors"]
    assert says in error["msg"]
    assert (await client.get("/monitors")).json() == {"monitors": []}


@pytest.mark.parametrize("name", ["-a", "a b", "x" * 65, "a%2Fb", "ñ", "a%0A"])
async def test_names_of_another_form(client: httpx.AsyncClient, idle_worker: WorkerDouble, name: str) -> None:
    assert (await client.put(f"/monitors/{name}", json=BODY)).status_code in {404, 422}
    assert (await client.get(f"/monitors/{name}")).status_code == 404
    assert (await client.delete(f"/monitors/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [(b"{", "application/json", 400), (b"[]", "application/json", 422), (b"{}", "text/plain", 415), (b"", "", 415)],
)
async def test_bodies_of_another_form(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, content: bytes, media: str, status: int
) -> None:
    answer = await client.put("/monitors/m", content=content, headers={"Content-Type": media})
    assert answer.status_code == status


async def test_an_unknown_model_and_an_unsupported_method(client: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    assert (await client.put("/monitors/m", json={**BODY, "model": "nobody"})).status_code == 404
    assert (await client.put("/monitors/m", json={**BODY, "version": "9"})).status_code == 404


async def test_a_method_by_name_may_have_parameters_that_jobs_must_give(
    client: httpx.AsyncClient, idle_worker: WorkerDouble
) -> None:
    answer = await client.put("/monitors/m", json={**BODY, "method": "NeuronGradient"})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["method"], answer.json()["parameters"]) == ("neuron_gradient", None)


async def test_a_method_as_an_object_watches_these_parameters_alone(
    client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble
) -> None:
    body = {**BODY, "method": {"name": "IntegratedGradients", "n_steps": 20}}
    assert (await client.put("/monitors/m", json=body)).status_code == 201
    definition = (await store.monitors.get("m", "")).definition
    for method, watched in (
        ({"name": "integrated_gradients", "n_steps": 20}, True),
        ({"name": "IntegratedGradients", "n_steps": 20, "baseline": "zero"}, True),
        ({"name": "integrated_gradients", "n_steps": 21}, False),
        ({"name": "integrated_gradients", "n_steps": 20, "baseline": "background"}, False),
        ("saliency", False),
    ):
        job = await client.post("/explain", json=row(method=method))
        if job.status_code == 202:
            spec = (await store.jobs.get(job.json()["id"])).spec
            assert definition.watches(spec) is watched, method


async def test_a_table_of_too_many_columns(client: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    card = table_card()
    assert card.input is not None
    (first, *_) = card.input.features or []
    columns = [first.model_copy(update={"name": f"c{number}"}) for number in range(MAX_WATCHED_FEATURES + 1)]
    wide = card.input.model_copy(update={"features": columns, "shapes": [[len(columns)]]})
    idle_worker.cards = [card.model_copy(update={"name": "wide", "input": wide})]
    idle_worker.announce()
    answer = await client.put("/monitors/m", json={**BODY, "model": "wide"})
    assert answer.status_code == 422
    assert "129 columns; a monitor tells apart at most 128" in answer.json()["detail"]
    layered = {**BODY, "model": "wide", "method": "layer_activation"}
    assert (await client.put("/monitors/m", json=layered)).status_code == 201, "units of a layer are no columns"


async def test_a_reference_of_jobs(
    client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, keeper: MonitorKeeper
) -> None:
    good = await finished(client, row())
    shared = await finished(client, row())
    other = await finished(client, text())
    failed = await finished(client, text(input={"text": "fail"}))

    async def refused(jobs: list[str], body: dict[str, Any] = BODY) -> dict[str, Any]:
        answer = await client.put("/monitors/m", json={**body, "reference": {"jobs": jobs}})
        return {"status": answer.status_code, **answer.json()}

    missing = await refused([good, "0" * 22])
    assert (missing["status"], missing["type"]) == (404, "urn:attribution-service:problem:job-not-found")
    foreign = await refused([good, other])
    assert (foreign["status"], foreign["errors"][0]["loc"]) == (422, ["reference", "jobs", 1])
    ended = await refused([failed], {**BODY, "model": "minilm-sentiment"})
    assert (ended["status"], ended["errors"][0]["msg"]) == (422, "the job is failed")
    made = await client.put("/monitors/m", json={**BODY, "reference": {"jobs": [good, shared, good]}})
    assert (made.status_code, made.json()["reference"]) == (201, "jobs:2")
    await asyncio.to_thread(keeper.step)
    record = await store.monitors.get("m", "")
    assert (record.reference_count, record.skipped) == (2, 0), "a result that a job shares is its own too"
