"""The Open Inference Protocol: bodies as KServe's, Triton's and MLServer's clients send them, and what they read."""

import base64
import gzip
import json
import struct
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

from broker import JobStore
from service.openapi.examples import NUCLEI, TINY_PNG
from service.tuning import INFLATED_PART_BYTES
from tests.service.conftest import SETTINGS, client_of
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import encoded, image_bytes

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
ROW = list(NUCLEI.values())
TABLE, PICTURES, TEXTS = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"


def rows(*given: list[float], **more: Any) -> dict[str, Any]:
    tensor = {"name": "rows", "datatype": "FP64", "shape": [len(given), 30], "data": [x for one in given for x in one]}
    return {"inputs": [tensor], **more}


def texts(*given: Any, **more: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "t", "datatype": "BYTES", "shape": [len(given)], "data": list(given)}], **more}


def framed(document: dict[str, Any], *data: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with the bytes of its tensors behind the JSON, and its headers, as tritonclient sends them."""
    head = json.dumps(document).encode()
    return head + b"".join(data), {"Inference-Header-Content-Length": str(len(head))}


def elements(*given: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(one)) + one for one in given)


def binary(datatype: str, shape: list[int], data: bytes, **more: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(data)}, **more}


async def inferred(client: httpx.AsyncClient, model: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the output `explanation` holds."""
    answer = await client.post(f"/v2/models/{model}/infer", json=body)
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("explanation", "BYTES", [1, 1])
    assert output["parameters"] == {"content_type": "str"}
    (text,) = output["data"]
    explanation: dict[str, Any] = json.loads(text)
    return explanation


async def test_health_and_metadata(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/health/live")).json() == {"live": True}
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}
    server = (await client.get("/v2")).json()
    assert server["extensions"] == ["binary_tensor_data"]
    for name in (TABLE, f"{TABLE}-explainer"):
        for path in (f"/v2/models/{name}", f"/v2/models/{name}/versions/1"):
            model = (await client.get(path)).json()
            assert (model["name"], model["versions"], model["platform"]) == (name, ["1"], "captum")
            assert model["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 30]}]
            assert (await client.get(f"{path}/ready")).json() == {"name": name, "ready": True}
    pair = (await client.get("/v2/models/two-tensors")).json()
    assert [(one["name"], one["shape"]) for one in pair["inputs"]] == [("input.0", [-1, 3]), ("input.1", [-1, 3])]


async def test_a_model_that_is_not_ready(client: httpx.AsyncClient) -> None:
    broken = await client.get("/v2/models/broken/ready")
    assert (broken.status_code, set(broken.json())) == (503, {"error"})
    for path in (
        "/v2/models/nobody",
        f"/v2/models/{TABLE}/versions/9",
        "/v2/models/-explainer",
        "/v2/models/%0a/ready",
    ):
        missing = await client.get(path)
        assert (missing.status_code, set(missing.json())) == (404, {"error"}), path
        assert missing.headers["content-type"] == "application/json"


async def test_infer_answers_as_mlserver_does(client: httpx.AsyncClient) -> None:
    parameters = {"explain_parameters": {"method": "IntegratedGradients", "n_steps": 7, "target": [1, 0]}}
    body = rows(ROW, [0.0, *ROW[1:]], id="mine", parameters=parameters)
    answer = await client.post(f"/v2/models/{TABLE}-explainer/infer", json=body)
    document = answer.json()
    assert {name: document[name] for name in ("id", "model_name", "model_version")} == {
        "id": "mine",
        "model_name": f"{TABLE}-explainer",
        "model_version": "1",
    }
    explanation = json.loads(document["outputs"][0]["data"][0])
    assert explanation["meta"]["name"] == "IntegratedGradients"
    assert explanation["meta"]["params"]["n_steps"] == 7
    assert explanation["meta"]["type"] == ["whitebox"]
    assert explanation["data"]["target"] == [1, 0]
    np.testing.assert_allclose(explanation["data"]["attributions"], [[ROW, [0.0, *ROW[1:]]]], rtol=1e-6)
    job = (await client.get(answer.headers["location"])).json()
    assert (job["status"], job["method"]["n_steps"]) == ("succeeded", 7)
    assert document["parameters"]["job"] == answer.headers["location"] == job["links"]["self"]


async def test_parameters_as_triton_sends_them(client: httpx.AsyncClient) -> None:
    """Beside the protocol's own; without a method they are those of the model's default."""
    parameters = {"n_steps": 9, "binary_data_output": True, "priority": 3, "timeout": 10, "sequence_id": 1}
    explanation = await inferred(client, TABLE, rows(ROW, parameters=parameters))
    assert explanation["meta"]["params"]["n_steps"] == 9


async def test_what_a_client_cannot_say_is_the_models_default(client: httpx.AsyncClient) -> None:
    """`mlserver infer` drops the parameters."""
    meta = (await inferred(client, TABLE, rows(ROW)))["meta"]
    assert (meta["name"], meta["params"]["baseline"]) == ("IntegratedGradients", "zero")


async def test_columns_of_a_data_frame(client: httpx.AsyncClient) -> None:
    """MLServer's pandas codec: a tensor for each column."""
    columns = [
        {"name": name, "datatype": "FP64", "shape": [2, 1], "data": [[value], [value + 1]]}
        for name, value in NUCLEI.items()
    ]
    data = (await inferred(client, TABLE, {"inputs": columns, "parameters": {"method": "saliency"}}))["data"]
    assert data["feature_names"] == list(NUCLEI)
    np.testing.assert_allclose(data["attributions"][0][1], [value + 1 for value in ROW], rtol=1e-6)
    assert data["features"][0][0]["name"] == "mean radius"


@pytest.mark.parametrize("codec", [None, "base64"])
async def test_texts_are_jobs_of_their_own(client: httpx.AsyncClient, codec: str | None) -> None:
    given = ["so very good", "bad"]
    body = texts(*([base64.b64encode(one.encode()).decode() for one in given] if codec else given))
    body["inputs"][0]["parameters"] = {"content_type": codec} if codec else {}
    answer = await client.post(f"/v2/models/{TEXTS}/infer", json=body)
    data = json.loads(answer.json()["outputs"][0]["data"][0])["data"]
    assert data["attributions"] == [[[2.0, 4.0, 4.0], [3.0]]]
    assert [[word["text"] for word in row] for row in data["words"]] == [["so", "very", "good"], ["bad"]]
    assert answer.headers["link"].count('rel="item"') == 2


async def test_explain_answers_as_torchserve_does(client: httpx.AsyncClient) -> None:
    answer = (await client.post(f"/v2/models/{TABLE}/versions/1/explain", json=rows(ROW, ROW))).json()
    (output,) = answer["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("explain", "FP32", [2, 30])
    np.testing.assert_allclose(output["data"], [ROW, ROW], rtol=1e-6)
    said = (await client.post(f"/v2/models/{TEXTS}/explain", json=texts("so good"))).json()["outputs"][0]
    assert (said["datatype"], said["shape"]) == ("BYTES", [1])
    assert json.loads(said["data"][0]) == {"words": ["so", "good"], "importances": [2.0, 4.0], "delta": None}


async def test_several_input_tensors(client: httpx.AsyncClient) -> None:
    tensors = [{"name": f"t{k}", "datatype": "INT16", "shape": [2, 3], "data": [[k, 1, 2], [3, 4, 5]]} for k in (0, 9)]
    body = {"inputs": tensors}
    data = (await inferred(client, "two-tensors", body))["data"]
    assert data["attributions"] == [[[0, 1, 2], [3, 4, 5]], [[9, 1, 2], [3, 4, 5]]]
    outputs = (await client.post("/v2/models/two-tensors/explain", json=body)).json()["outputs"]
    assert [one["name"] for one in outputs] == ["explain.input.0", "explain.input.1"]


async def test_a_batch_equals_singles(client: httpx.AsyncClient, store: JobStore) -> None:
    """64 pictures of one size are one job; of two sizes a job each. The numbers are the same."""
    pictures = [encoded(image_bytes("PNG", (16 + k % 2, 16))) for k in range(2)]
    together = await client.post(f"/v2/models/{PICTURES}/explain", json=texts(*[pictures[0]] * 64))
    assert together.status_code == 200, together.text[:500]
    assert together.json()["outputs"][0]["shape"] == [64, 3, 224, 224]
    assert len((await store.jobs.page())[0]) == 1
    mixed = (await client.post(f"/v2/models/{PICTURES}/explain", json=texts(*pictures))).json()["outputs"][0]
    assert len((await store.jobs.page())[0]) == 3, "the refused batch was no job"
    for index, picture in enumerate(pictures):
        alone = (await client.post(f"/v2/models/{PICTURES}/explain", json=texts(picture))).json()["outputs"][0]
        assert alone["data"][0] == mixed["data"][index]
    assert together.json()["outputs"][0]["data"][63] == mixed["data"][0]


# --- binary tensors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16", "INT8", "UINT16", "INT64", "BOOL"])
async def test_binary_numbers(client: httpx.AsyncClient, datatype: str) -> None:
    kinds = {"FP32": "<f4", "FP64": "<f8", "FP16": "<f2", "INT8": "i1", "UINT16": "<u2", "INT64": "<i8", "BOOL": "?"}
    array = (np.arange(32) % 2).reshape(1, 2, 4, 4).astype(kinds[datatype])
    document = {"inputs": [binary(datatype, [1, 2, 4, 4], array.tobytes())], "parameters": {"target": 0}}
    body, headers = framed(document, array.tobytes())
    answer = await client.post("/v2/models/maps/explain", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == array.astype(float).tolist()


async def test_binary_bytes(client: httpx.AsyncClient) -> None:
    data = elements(base64.b64decode(TINY_PNG))
    body, headers = framed({"inputs": [binary("BYTES", [1], data)], "parameters": {"method": "saliency"}}, data)
    seen = await client.post(f"/v2/models/{PICTURES}/explain", content=body, headers=headers)
    same = await client.post(f"/v2/models/{PICTURES}/explain", json=texts(TINY_PNG, parameters={"method": "saliency"}))
    assert seen.json()["outputs"] == same.json()["outputs"]
    said = elements("ya está".encode())
    body, headers = framed({"inputs": [binary("BYTES", [1, 1], said)]}, said)
    answer = await client.post(f"/v2/models/{TEXTS}/explain", content=body, headers=headers)
    assert json.loads(answer.json()["outputs"][0]["data"][0])["words"] == ["ya", "está"]


ONES = np.ones(32, dtype="<f4").tobytes()


@pytest.mark.parametrize(
    ("tensor", "data", "length"),
    [
        (binary("FP32", [1, 2, 4, 4], ONES), ONES[:-4], None),  # too few bytes
        (binary("FP32", [1, 2, 4, 4], ONES), ONES + b"more", None),  # too many
        (binary("FP32", [1, 2, 4, 5], ONES), ONES, None),  # another shape
        (binary("FP32", [2**40], ONES), ONES, None),
        (binary("FP32", [8_000_000, 8_000_000], ONES), ONES, None),
        (binary("BYTES", [8_000_000], ONES), ONES, None),
        (binary("BYTES", [1], b"\xff\xff\xff\xff"), b"\xff\xff\xff\xff", None),  # an element of four gigabytes
        (binary("BYTES", [1], b"\x01\x00"), b"\x01\x00", None),
        (binary("FP32", [1, 2, 4, 4], ONES) | {"parameters": {"binary_data_size": -128}}, ONES, None),
        (binary("FP32", [1, 2, 4, 4], ONES) | {"parameters": {"binary_data_size": 1e2}}, ONES, None),
        (binary("FP32", [1, 2, 4, 4], ONES) | {"parameters": {"binary_data_size": True}}, b"\0", None),
        (
            binary("FP32", [1, 2, 4, 4], np.full(32, np.nan, "<f4").tobytes()),
            np.full(32, np.nan, "<f4").tobytes(),
            None,
        ),
        (binary("FP32", [1, 2, 4, 4], ONES), ONES, "-1"),
        (binary("FP32", [1, 2, 4, 4], ONES), ONES, "9" * 5000),
        (binary("FP32", [1, 2, 4, 4], ONES), ONES, "٣"),
        (binary("FP32", [1, 2, 4, 4], ONES), ONES, ""),
        (binary("UINT64", [1, 2, 4, 4], ONES), ONES, None),
    ],
)
async def test_broken_binary_bodies(client: httpx.AsyncClient, tensor: Any, data: bytes, length: str | None) -> None:
    body, headers = framed({"inputs": [tensor], "parameters": {"target": 0}}, data)
    if length is not None:
        headers = {"Inference-Header-Content-Length": length}
    sent = {name: value.encode() for name, value in headers.items()}
    answer = await client.post("/v2/models/maps/infer", content=body, headers=sent)
    assert (answer.status_code, set(answer.json())) == (400, {"error"}), answer.text


# --- compressed bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_bodies(client: httpx.AsyncClient, encoding: str, pack: Any) -> None:
    body = json.dumps(rows(ROW, ROW)).encode()
    answer = await client.post(f"/v2/models/{TABLE}/infer", content=pack(body), headers={"Content-Encoding": encoding})
    assert answer.status_code == 200, answer.text


BOMB = gzip.compress(b" " * (8 * 1024 * 1024))


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (BOMB, "gzip", 413),
        (zlib.compress(b"[" * (8 * 1024 * 1024)), "deflate", 413),
        (b"not compressed", "gzip", 400),
        (gzip.compress(b"{}")[:-9], "gzip", 400),
        (b"", "gzip", 400),
        (gzip.compress(b"{}") + b"tail", "gzip", 400),
        (gzip.compress(b"{}") * 2, "gzip", 400),
        (b"{}", "br", 415),
        (gzip.compress(gzip.compress(b"{}")), "gzip, gzip", 415),
    ],
)
async def test_broken_compressed_bodies(client: httpx.AsyncClient, content: bytes, encoding: str, status: int) -> None:
    answer = await client.post(f"/v2/models/{TABLE}/infer", content=content, headers={"Content-Encoding": encoding})
    assert (answer.status_code, set(answer.json())) == (status, {"error"}), answer.text


async def test_inflated_bytes_count_against_the_memory_of_bodies(store: JobStore) -> None:
    """A body of a few kilobytes that inflates to more than all bodies may take is refused before it is inflated."""
    tight = SETTINGS.model_copy(update={"max_body_bytes": 4 * INFLATED_PART_BYTES, "bodies_bytes": 1 << 20})
    content = gzip.compress(b" " * (4 * INFLATED_PART_BYTES - 10))
    async with client_of(store, tight) as client:
        headers = {"Content-Encoding": "gzip"}
        answer = await client.post(f"/v2/models/{TABLE}/infer", content=content, headers=headers)
        assert (answer.status_code, set(answer.json())) == (503, {"error"}), answer.text
        assert "retry-after" in answer.headers
        small = await client.post(f"/v2/models/{TABLE}/infer", json=rows(ROW))
        assert small.status_code == 200, "the memory has been given back"


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (TABLE, {}),
        (TABLE, {"inputs": []}),
        (TABLE, {"inputs": "x"}),
        (TABLE, {"inputs": [7]}),
        (TABLE, {"inputs": [{}]}),
        (TABLE, {"inputs": [{"datatype": ["FP32"], "shape": [1], "data": [1]}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": "1", "data": [1]}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": [True], "data": [1]}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": [0], "data": []}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": [1] * 9, "data": [1]}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": [1, 30], "data": {"a": 1}}]}),
        (TABLE, {"inputs": [{"datatype": "FP32", "shape": [1, 2], "data": [[1], [2, 3]]}]}),
        (TABLE, rows([*ROW[:29], "x"])),  # type: ignore[list-item]
        (TABLE, rows(*[ROW] * 65)),
        (TABLE, rows(ROW, parameters=[])),
        (TABLE, rows(ROW, parameters={"explain_parameters": 3})),
        (TABLE, rows(ROW, parameters={"method": "nothing"})),
        (TABLE, rows(ROW, parameters={"n_stepz": 3})),
        (TABLE, rows(ROW, parameters={"method": ["saliency"]})),
        (TABLE, rows(ROW, parameters={"target": [1, 1]})),
        (TABLE, rows(ROW, parameters={f"p{k}": k for k in range(200)})),
        (TABLE, rows(ROW, outputs=[{"name": "logits"}])),
        (TABLE, rows(ROW, outputs=[3])),
        (TABLE, texts("a row")),
        (TEXTS, rows(ROW)),
        (TEXTS, texts(3)),
        (TEXTS, texts("good", "")),
        (TEXTS, texts("it must fail")),
        (PICTURES, texts("not a picture")),
        (PICTURES, texts(TINY_PNG, 7)),
        ("two-tensors", rows(ROW)),
    ],
)
@pytest.mark.parametrize("verb", ["infer", "explain"])
async def test_refused(client: httpx.AsyncClient, store: JobStore, model: str, body: Any, verb: str) -> None:
    answer = await client.post(f"/v2/models/{model}/{verb}", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"]), answer.text
    assert answer.headers["content-type"] == "application/json"
    jobs, _ = await store.jobs.page()
    assert {job.status for job in jobs} <= {"cancelled", "failed", "succeeded"}, "what was accepted has been cancelled"


async def test_the_place_of_an_error_is_the_clients(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/v2/models/{TEXTS}/infer", json=texts("good", " "))
    assert answer.json()["error"].startswith("inputs.1: the text is blank")
    spanish = await client.post(f"/v2/models/{TEXTS}/infer?lang=es", json=texts("good", " "))
    assert spanish.json()["error"].startswith("inputs.1: ")
    assert spanish.json()["error"] != answer.json()["error"]


async def test_errors_of_every_layer_have_the_protocols_form(client: httpx.AsyncClient) -> None:
    huge = await client.post("/v2/models/x/infer", content=b"", headers={"Content-Length": "9" * 12})
    host = await client.get("/v2/models/x", headers={"Host": "evil.example"})
    nowhere = await client.get("/v2/nowhere")
    deep = await client.post(f"/v2/models/{TABLE}/infer", content=b"[" * 300)
    wrong = await client.put(f"/v2/models/{TABLE}/infer")
    answers = [huge, host, nowhere, deep, wrong]
    assert [one.status_code for one in answers] == [413, 421, 404, 400, 405]
    assert all(set(one.json()) == {"error"} for one in answers)
    other = await client.get("/v2x")
    assert set(other.json()) > {"type", "title"}, "and other routes have problem documents"


@pytest.mark.parametrize("model", [TABLE, TEXTS])
async def test_the_wait_is_over(store: JobStore, worker: WorkerDouble, model: str) -> None:
    worker.gate.clear()
    body = rows(ROW) if model == TABLE else texts("one", "two")
    async with client_of(store, SETTINGS.model_copy(update={"max_wait_s": 0.05})) as hasty:
        answer = await hasty.post(f"/v2/models/{model}/infer", json=body)
        assert (answer.status_code, list(answer.json())) == (504, ["error"])
        job = (await hasty.get(answer.headers["location"])).json()
        assert job["status"] in {"queued", "running"}
        assert answer.headers["location"] in answer.json()["error"]
    worker.gate.set()
    async with client_of(store) as patient:
        assert (await patient.post(f"/v2/models/{model}/infer", json=body)).status_code == 200


async def test_a_full_queue_cancels_what_it_took(
    client: httpx.AsyncClient, store: JobStore, worker: WorkerDouble
) -> None:
    worker.gate.clear()
    answer = await client.post(f"/v2/models/{TEXTS}/infer", json=texts(*"abcdefgh"))  # the queue takes three
    assert (answer.status_code, list(answer.json())) == (429, ["error"])
    assert "retry-after" in answer.headers
    assert {job.status for job in (await store.jobs.page())[0]} == {"cancelled"}
