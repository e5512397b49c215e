"""Bad requests: a problem document that names the field, and nothing queued."""

import json
from typing import Any

import httpx
import pytest

from broker import JobStore
from tests.service.conftest import SETTINGS
from tests.service.double import WorkerDouble
from tests.service.http.punctuation import faults
from tests.service.validation.refusals import REFUSED, Refused, row
from tests.service.validation.refusals_of_methods import OF_FEATURES, OF_LAYERS, OF_TOLERANCE
from tests.service.validation.refusals_of_metrics import OF_QUALITY

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("idle_worker")]
JSON = {"Content-Type": "application/json"}


async def assert_refused(
    response: httpx.Response, store: JobStore, status: int, code: str, loc: list[str | int] | None = None
) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content, parse_constant=pytest.fail)
    assert problem["type"] == f"urn:attribution-service:problem:{code}"
    assert problem["status"] == status
    assert problem["detail"]
    if loc:
        assert loc in [error["loc"] for error in problem["errors"]], problem
    assert (await store.jobs.page()) == ([], None)
    return problem


@pytest.mark.parametrize(
    "refused", [*REFUSED, *OF_LAYERS, *OF_FEATURES, *OF_TOLERANCE, *OF_QUALITY], ids=lambda refused: refused.name
)
async def test_refused(client: httpx.AsyncClient, store: JobStore, refused: Refused) -> None:
    body = json.dumps(refused.body).encode()
    response = await client.post("/explain", content=body, headers=JSON)
    problem = await assert_refused(response, store, refused.status, refused.code, refused.loc)
    assert len(response.content) < 3000
    assert "literal[" not in response.text
    assert "constrained" not in response.text
    if refused.loc:
        assert len(problem["errors"]) == 1
    spanish = (await client.post("/explain?lang=es", content=body, headers=JSON)).json()
    for said in (problem, spanish):
        for sentence in (said["title"], said["detail"], *(error["msg"] for error in said.get("errors", []))):
            assert faults(sentence) == [], sentence


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed-body"),
        (b"{", 400, "malformed-body"),
        (b'{"model": "\xff"}', 400, "malformed-body"),
        (b'{"model": "\\ud800"}', 400, "malformed-body"),
        (b"[" * 100_000, 400, "malformed-body"),
        (b'{"input":' * 50_000, 400, "malformed-body"),
        (b'{"seed": ' + b"9" * 5000 + b"}", 400, "malformed-body"),
        (b"[]", 422, "invalid-request"),
        (b'"text"', 422, "invalid-request"),
        (b"{" + b",".join(b'"k%d": {"a": [[]]}' % i for i in range(900)) + b"}", 422, "invalid-request"),
        (b'{"input": [' + b"[],[]," * 500 + b"[]]}", 422, "invalid-request"),
        (
            b'{"input": ' + b"[" + b",".join([b"[" + b",".join([b'""'] * 900) + b"]"] * 60) + b"]}",
            422,
            "invalid-request",
        ),
    ],
    ids=range(12),
)
async def test_hostile_json(client: httpx.AsyncClient, store: JobStore, body: bytes, status: int, code: str) -> None:
    await assert_refused(await client.post("/explain", content=body, headers=JSON), store, status, code)


@pytest.mark.parametrize("media", ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""])
async def test_media_type(client: httpx.AsyncClient, store: JobStore, media: str) -> None:
    response = await client.post("/explain", content=json.dumps(row()).encode(), headers={"Content-Type": media})
    await assert_refused(response, store, 415, "unsupported-media-type")


async def test_declared_body_too_large(client: httpx.AsyncClient, store: JobStore) -> None:
    headers = {**JSON, "Content-Length": str(SETTINGS.max_body_bytes + 1)}
    response = await client.post("/explain", content=b"{}", headers=headers)
    await assert_refused(response, store, 413, "body-too-large")


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=x"])
async def test_streamed_body_too_large(client: httpx.AsyncClient, store: JobStore, media: str) -> None:
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(1000):
            sent += 65_536
            yield b" " * 65_536

    response = await client.post("/explain", content=chunks(), headers={"Content-Type": media})
    await assert_refused(response, store, 413, "body-too-large")
    assert sent <= SETTINGS.max_body_bytes + 2 * 65_536


@pytest.mark.parametrize("length", ["x", "-1", "9" * 30])
async def test_nonsense_length(client: httpx.AsyncClient, store: JobStore, length: str) -> None:
    response = await client.post("/explain", content=b"{}", headers={**JSON, "Content-Length": length})
    await assert_refused(response, store, 400, "malformed-body")


@pytest.mark.parametrize(
    ("headers", "query", "loc"),
    [
        ({"Idempotency-Key": "x" * 256}, "", ["header", "idempotency-key"]),
        ({"Idempotency-Key": ""}, "", ["header", "idempotency-key"]),
        ({"Idempotency-Key": "a\tb"}, "", ["header", "idempotency-key"]),
        ({}, "?wait=-1", ["query", "wait"]),
        ({}, "?wait=nan", ["query", "wait"]),
        ({}, "?wait=soon", ["query", "wait"]),
    ],
)
async def test_parameters(
    client: httpx.AsyncClient, store: JobStore, headers: dict[str, str], query: str, loc: list[str | int]
) -> None:
    response = await client.post(f"/explain{query}", json=row(), headers=headers)
    await assert_refused(response, store, 422, "invalid-request", loc)


async def test_close_names_are_suggested(client: httpx.AsyncClient) -> None:
    async def detail(**changed: Any) -> str:
        response = await client.post("/explain", json=row(**changed))
        return str(response.json()["detail"])

    assert "did you mean 'saliency'?" in await detail(method="saliencie")
    assert "did you mean 'breast-cancer-mlp'?" in await detail(model="breast-cancer")
    assert "did you mean 'malignant'?" in await detail(target="maligant")
    assert "did you mean 'hidden2'?" in await detail(method={"name": "layer_activation", "layer": "hiden2"})
    assert "its versions: 1" in await detail(version="2")


async def test_values_are_not_echoed(client: httpx.AsyncClient) -> None:
    secret = "hunter2-" * 50
    for changed in ({"seed": secret}, {"priority": secret}, {"target": [secret, secret]}, {"version": secret}):
        response = await client.post("/explain", json=row(**changed))
        assert response.status_code == 422
        assert "hunter2" not in response.text


async def test_names_made_up_by_the_client_are_cut(client: httpx.AsyncClient) -> None:
    long = "k" * 10_000
    many = {str(index): 1 for index in range(1000)}
    for changed in ({long: 1}, {"input": {"features": {long: 1}}}, {"input": {"features": {**many, long: "x"}}}):
        response = await client.post("/explain", json=row(**changed))
        assert response.status_code == 422
        assert len(response.content) < 1000


async def test_neighbours_are_not_disturbed(client: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    accepted = await client.post("/explain", json=row())
    refused = await client.post("/explain", json=row(target="nobody"))
    assert (accepted.status_code, refused.status_code) == (202, 422)
    idle_worker.start()
    response = await client.post("/explain?wait=10", json=row())
    assert response.json()["status"] == "succeeded"
