"""`POST /compare` and `/comparisons/{id}`: over the HTTP application and a real store."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from broker import Idempotency, JobStore
from schemas.errors import StoreUnavailable
from service.comparisons import reading, shared_inputs
from service.openapi.examples import NUCLEI, TINY_PNG
from service.settings import GatewaySettings
from tests.service.conftest import client_of
from tests.service.double import WorkerDouble
from tests.service.keys import bearer, key, write_keys

pytestmark = pytest.mark.anyio
ANA, BEN = (f"attr_{name}-0123456789-0123456789-0123456789" for name in ("ana", "ben"))
METHODS = ["saliency", {"name": "integrated_gradients", "n_steps": 20}, "layer_grad_cam"]


@pytest.fixture
async def store(store_server: Any, namespace: str) -> Any:
    store = JobStore(store_server.url, namespace=namespace, queue_depth=36, timeout_s=10)
    yield store
    await store.close()


def comparison(**more: Any) -> dict[str, Any]:
    return {"models": ["efficientnet-lite0"], "input": {"image": TINY_PNG}, "methods": METHODS, **more}


async def compared(client: httpx.AsyncClient, body: dict[str, Any], status: int = 200, **options: Any) -> Any:
    answer = await client.post("/compare?wait=15", json=body, **options)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.usefixtures("idle_worker")
async def test_jobs_are_queued_and_told(client: httpx.AsyncClient, store: JobStore) -> None:
    answer = await client.post("/compare", json=comparison(targets=["Egyptian cat", None]))
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert answer.headers["location"] == told["links"]["self"] == f"/comparisons/{told['id']}"
    assert (told["status"], told["agreement"]) == ("queued", None)
    assert [cell["method"]["name"] for cell in told["cells"]] == [
        "saliency",
        "integrated_gradients",
        "layer_grad_cam",
    ] * 2
    assert [(cell["target"] or [{}])[0].get("index") for cell in told["cells"]] == [285] * 3 + [None] * 3
    for cell in told["cells"]:
        assert (cell["model"], cell["version"], cell["status"]) == ("efficientnet-lite0", "1", "queued")
        job = (await client.get(cell["links"]["job"])).json()
        assert job["method"] == cell["method"]
        assert (await store.jobs.get(cell["job"])).spec.method["name"] == cell["method"]["name"]
    assert (await client.get(told["links"]["sheet"])).status_code == 409
    assert (await client.get(told["links"]["self"])).json() == told


@pytest.mark.usefixtures("worker")
async def test_agreement_of_pictures(client: httpx.AsyncClient) -> None:
    told = await compared(client, comparison())
    assert told["status"] == "succeeded"
    assert told["progress"]["done"] == told["progress"]["total"] > 0
    assert [found["cells"] for found in told["agreement"]] == [[0, 1], [0, 2], [1, 2]]
    for found in told["agreement"]:  # the double gives every method the same attribution
        assert found["spearman"] == pytest.approx(1)
        assert found["strongest_tenth"] == pytest.approx(1)
        assert found["signs"] == 1


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("minilm-sentiment", {"text": "a wonderful film"}),
        ("breast-cancer-mlp", {"features": [NUCLEI, NUCLEI]}),
        ("maps", {"tensor": {"shape": [1, 2, 4, 4], "data": list(range(32))}}),
        ("wide", {"tensor": {"shape": [1, 2000], "data": [float(number) for number in range(2000)]}}),
    ],
)
async def test_agreement_of_other_inputs(client: httpx.AsyncClient, model: str, given: dict[str, Any]) -> None:
    targets = {"targets": [0]} if model == "maps" else {}
    body = {"models": [model], "input": given, "methods": ["saliency", "input_x_gradient"], **targets}
    told = await compared(client, body)
    (found,) = told["agreement"]
    assert found["cells"] == [0, 1]
    assert found["spearman"] == pytest.approx(1)
    sheet = await client.get(told["links"]["sheet"])
    assert sheet.status_code == 200, sheet.text


@pytest.mark.usefixtures("worker")
async def test_the_agreement_is_computed_once(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    told = await compared(client, comparison())
    monkeypatch.setattr(reading, "agreements", None)
    assert (await client.get(told["links"]["self"])).json() == told


@pytest.mark.usefixtures("worker")
async def test_the_picture_is_decoded_once(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    check = shared_inputs.check_input
    monkeypatch.setattr(shared_inputs, "check_input", lambda *given: decoded.append(given) or check(*given))
    told = await compared(client, comparison(models=["efficientnet-lite0", "efficientnet-lite0@1"]))
    assert len(told["cells"]) == 6
    assert len(decoded) == 1


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("scale", ["own", "shared"])
async def test_the_sheet(client: httpx.AsyncClient, scale: str) -> None:
    told = await compared(client, comparison())
    sheet = await client.get(told["links"]["sheet"], params={"scale": scale, "size": 200})
    assert sheet.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(sheet.content)) as drawing:
        assert drawing.width > 3 * 200
        assert drawing.height > 200
    held = {"If-None-Match": sheet.headers["etag"]}
    assert (
        await client.get(told["links"]["sheet"], params={"scale": scale, "size": 200}, headers=held)
    ).status_code == 304
    for refused in ({"scale": "log"}, {"style": "side_by_side"}, {"sise": 3}, {"size": 4096}):
        assert (await client.get(told["links"]["sheet"], params=refused)).status_code == 422
    assert (await client.get(told["links"]["sheet"], params={"example": 1})).status_code == 422


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("idle_worker")
async def test_a_refused_cell_says_why_and_the_others_run(client: httpx.AsyncClient) -> None:
    body = {
        "models": ["maps", "nosuch", "broken"],
        "input": {"tensor": {"shape": [1, 2, 4, 4], "data": [1] * 32}},
        "methods": ["saliency", "deep_lift"],
        "targets": [0],
    }
    answer = await client.post("/compare", json=body)
    assert answer.status_code == 202, answer.text
    cells = answer.json()["cells"]
    assert [cell["status"] for cell in cells] == ["queued", *["refused"] * 5]
    assert [cell["error"]["code"] for cell in cells[1:]] == [
        "invalid_request",
        *["model_not_found"] * 2,
        *["model_unavailable"] * 2,
    ]
    assert "the model has no layers" in cells[1]["error"]["detail"]
    assert all(cell["job"] is None and cell["links"] is None for cell in cells[1:])


@pytest.mark.usefixtures("idle_worker")
async def test_a_full_queue_refuses_the_cells_beyond_it(client: httpx.AsyncClient) -> None:
    apart = {"Cache-Control": "no-store"}  # equal jobs would wait for one result
    first = await client.post("/compare", json=comparison(methods=["saliency"] * 30), headers=apart)
    assert {cell["status"] for cell in first.json()["cells"]} == {"queued"}
    second = await client.post("/compare", json=comparison(methods=METHODS * 3), headers=apart)
    codes = [cell["error"] and cell["error"]["code"] for cell in second.json()["cells"]]
    assert codes == [None] * 6 + ["queue_full"] * 3
    full = await client.post("/compare", json=comparison(methods=METHODS * 3), headers=apart)
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) >= 1


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    ("more", "loc"),
    [
        ({"methods": ["nosuch"]}, ["methods", 0, "name"]),
        ({"methods": [{"name": "saliency", "abz": True}]}, ["methods", 0, "abz"]),
        ({"model": "efficientnet-lite0"}, ["model"]),
        ({"models": []}, ["models"]),
        ({"models": ["a b"]}, ["models", 0]),
        ({"targets": ["nosuch"]}, ["targets", 0]),
        ({"targets": [0] * 13}, []),
        ({"input": {"image": "AAAA"}}, ["input", "image"]),
        ({"methods": [{"name": "layer_grad_cam", "layer": "nosuch"}]}, ["methods", 0, "layer"]),
    ],
)
async def test_what_all_cells_are_refused_for(
    client: httpx.AsyncClient, store: JobStore, more: dict[str, Any], loc: list[Any]
) -> None:
    answer = await client.post("/compare", json=comparison(**more))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["loc"] == loc
    assert sum((await store.jobs.backlog()).values()) == 0


async def test_the_body_is_json(client: httpx.AsyncClient) -> None:
    assert (await client.post("/compare", data={"models": "x"})).status_code == 415


# --- repeated, cancelled, another's ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("idle_worker")
async def test_a_repeat_with_the_same_key_queues_nothing(client: httpx.AsyncClient, store: JobStore) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/compare", json=comparison(), headers=headers)
    queued = await store.jobs.backlog()
    again = await client.post("/compare", json=comparison(), headers=headers)
    assert again.json() == first.json()
    assert await store.jobs.backlog() == queued
    other = await client.post("/compare", json=comparison(seed=1), headers=headers)
    assert other.json()["type"].endswith("idempotency-conflict")
    job = await client.post(
        "/explain", json={"model": "efficientnet-lite0", "input": {"image": TINY_PNG}}, headers=headers
    )
    assert job.status_code == 202, "a key of a job is another name"


@pytest.mark.usefixtures("idle_worker")
async def test_a_repeat_goes_on_where_a_lost_gateway_stopped(
    client: httpx.AsyncClient, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Idempotency-Key": "lost"}
    complete = store.comparisons.complete

    async def lost(*_: object) -> None:
        raise StoreUnavailable("the gateway is lost before it writes the cells")

    monkeypatch.setattr(store.comparisons, "complete", lost)
    assert (await client.post("/compare", json=comparison(), headers=headers)).status_code == 503
    monkeypatch.setattr(store.comparisons, "complete", complete)
    queued = sum((await store.jobs.backlog()).values())
    again = await client.post("/compare", json=comparison(), headers=headers)
    assert again.status_code == 202, again.text
    assert sum((await store.jobs.backlog()).values()) == queued == 3


@pytest.mark.usefixtures("idle_worker")
async def test_a_cancelled_comparison(client: httpx.AsyncClient) -> None:
    told = (await client.post("/compare", json=comparison())).json()
    cancelled = (await client.delete(told["links"]["self"])).json()
    assert cancelled["status"] == "cancelled"
    assert {cell["status"] for cell in cancelled["cells"]} == {"cancelled"}
    assert cancelled["agreement"] == []
    assert (await client.delete(told["links"]["self"])).json() == cancelled
    assert (await client.get(told["links"]["sheet"])).json()["type"].endswith("job-has-no-result")


@pytest.mark.usefixtures("worker")
async def test_a_failed_job_fails_alone(client: httpx.AsyncClient) -> None:
    body = {"models": ["minilm-sentiment"], "input": {"text": "fail"}, "methods": ["saliency", "input_x_gradient"]}
    told = await compared(client, body)
    assert told["status"] == "failed"
    assert {cell["error"]["code"] for cell in told["cells"]} == {"input_rejected"}


async def test_anothers_comparison_looks_like_one_that_does_not_exist(
    store: JobStore, worker: WorkerDouble, tmp_path: Path
) -> None:
    keys = write_keys(tmp_path, key("ana", ANA), key("ben", BEN))
    async with client_of(store, GatewaySettings(keys=keys, max_wait_s=20)) as client:
        headers = {**bearer(ANA), "Idempotency-Key": "same"}
        told = await compared(client, comparison(), headers=headers)
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/sheet.png")):
            answers = []
            for wanted in (told["id"], "A" * 22):
                answer = await client.request(method, f"/comparisons/{wanted}{path}", headers=bearer(BEN))
                answers.append((answer.status_code, answer.text.replace(wanted, "…")))
            assert answers[0] == answers[1]
            assert answers[0][0] == 404
        own = await client.get(told["links"]["self"], headers=bearer(ANA))
        assert own.json()["status"] == "succeeded"
        bens = await compared(client, comparison(), headers={**bearer(BEN), "Idempotency-Key": "same"})
        assert bens["id"] != told["id"], "an owner's idempotency keys are its own"
        assert not {cell["job"] for cell in bens["cells"]} & {cell["job"] for cell in told["cells"]}


@pytest.mark.parametrize("wanted", ["..%2f..", "x" * 65, "a:b", "%00"])
async def test_what_is_no_id(client: httpx.AsyncClient, wanted: str) -> None:
    assert (await client.get(f"/comparisons/{wanted}")).status_code == 404


async def test_an_unfinished_begin_is_no_comparison(client: httpx.AsyncClient, store: JobStore) -> None:
    begun = await store.comparisons.begin("", Idempotency("key", "print"))
    assert (await client.get(f"/comparisons/{begun.id}")).status_code == 404
