"""API keys at the routes, attacked: what a key made, no other sees; and no key appears where it should not."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from broker import JobStore
from schemas.jobs import JobSpec
from service.app import create_app
from service.settings import GatewaySettings
from tests.service.conftest import SETTINGS, client_of, finished
from tests.service.double import WorkerDouble
from tests.service.keys import bearer, key, write_keys
from tests.service.validation.refusals import picture, row

pytestmark = pytest.mark.anyio
ANA, BEN, OPS, MON = (f"attr_{name}-0123456789-0123456789-0123456789" for name in ("ana", "ben", "ops", "mon"))
OPERATIONS = [
    (method, path)
    for path, operations in create_app(SETTINGS).openapi()["paths"].items()
    for method in sorted(operations)
]
OF_A_JOB = [(method, path) for method, path in OPERATIONS if "{job_id}" in path]
PUBLIC = {"/", "/healthz", "/readyz", "/methods", "/methods/{name}", "/v2", "/v2/health/live", "/v2/health/ready"}
FILLED = {
    "{version}": "1",
    "{endpoint}": "breast-cancer-mlp",
    "{project}": "p",
    "{location}": "l",
    "{name}": "breast-cancer-mlp",
    "{job_id}": "0" * 22,
    "{comparison_id}": "0" * 22,
}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return write_keys(
        tmp_path,
        key("ana", ANA),
        key("ben", BEN),
        key("ops", OPS, ["admin"]),
        key("mon", MON, ["metrics"]),
        key("slow", "slow", rows_per_minute=1),
        key("small", "small", queued_rows=1),
    )


@pytest.fixture
async def guarded(store: JobStore, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway with keys; sends none of them."""
    async with client_of(store, GatewaySettings(keys=keys, max_wait_s=20)) as client:
        yield client


def url(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def scopes_of(method: str, path: str) -> set[str]:
    """The keys that an operation is for."""
    if path in PUBLIC:
        return {ANA, OPS, MON, ""}
    if path == "/metrics":
        return {MON}
    if path.startswith(("/v1/models/", "/v1/projects/", "/v2/models/")) and method == "get":
        return {ANA, OPS}
    if path.startswith("/monitors"):
        return {ANA, OPS}
    if path.startswith("/models"):
        return {ANA, OPS} if method == "get" else {OPS}
    return {ANA}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_who_may_do_what(guarded: httpx.AsyncClient, worker: WorkerDouble, method: str, path: str) -> None:
    for secret in ("", ANA, OPS, MON, "unknown"):
        answer = await guarded.request(method, url(path), headers=bearer(secret) if secret else {})
        if secret in scopes_of(method, path) or path in PUBLIC:
            assert answer.status_code not in {401, 403}, answer.text
        elif secret in {"", "unknown"}:
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 403
            is_dialect = path.startswith(("/v1/", "/v2", "/explanations"))  # which have errors of their own
            assert is_dialect or answer.json()["type"] == "urn:attribution-service:problem:scope-missing"


@pytest.mark.parametrize("header", [f"Basic {ANA}", ANA, "Bearer ", f"Bearer {ANA}x", f"Bearer {ANA[:-1]}", "Bearer ñ"])
async def test_what_is_no_key(guarded: httpx.AsyncClient, header: str) -> None:
    assert (await guarded.get("/jobs", headers={"Authorization": header.encode()})).status_code == 401


# --- another's job ----------------------------------------------------------------------------------------------------


async def made(client: httpx.AsyncClient, secret: str, **more: Any) -> str:
    """The id of an ended job of this key."""
    return await ended(client, secret, row(**more))


async def ended(client: httpx.AsyncClient, secret: str, body: dict[str, Any]) -> str:
    answer = await client.post("/explain?wait=15", json=body, headers=bearer(secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(("verb", "path"), OF_A_JOB)
async def test_anothers_job_looks_like_one_that_does_not_exist(
    guarded: httpx.AsyncClient, store: JobStore, worker: WorkerDouble, verb: str, path: str
) -> None:
    method = {"name": "integrated_gradients", "frames": 2}  # so that there is something at every address
    job_id = await ended(guarded, ANA, picture(method=method, quality=["deletion_insertion"]))
    told = []
    for wanted in (job_id, "A" * 22):
        answer = await guarded.request(verb, path.replace("{job_id}", wanted), headers=bearer(BEN))
        assert answer.status_code == 404, answer.text
        told.append((answer.text.replace(wanted, "…"), sorted(set(answer.headers) - {"x-request-id"})))
    assert told[0] == told[1]
    own = await guarded.request(verb, path.replace("{job_id}", job_id), headers=bearer(ANA))
    assert own.status_code == 200, own.text
    assert (await store.jobs.get(job_id)).status == "succeeded"


def test_the_routes_of_a_job_are_found() -> None:
    """So that a route that is added later is attacked too."""
    assert {path for _, path in OF_A_JOB} >= {"/jobs/{job_id}", "/jobs/{job_id}/events", "/jobs/{job_id}/result"}
    assert len(OF_A_JOB) >= 6


async def test_anothers_running_job_is_not_cancelled(
    guarded: httpx.AsyncClient, store: JobStore, idle_worker: WorkerDouble
) -> None:
    job_id = (await guarded.post("/explain", json=row(), headers=bearer(ANA))).json()["id"]
    assert (await guarded.delete(f"/jobs/{job_id}", headers=bearer(BEN))).status_code == 404
    assert (await store.jobs.get(job_id)).status == "queued"


async def test_a_job_of_nobody_is_not_shown(guarded: httpx.AsyncClient, store: JobStore, worker: WorkerDouble) -> None:
    async with client_of(store) as anyone:
        job_id = await finished(anyone, row())
    assert (await guarded.get(f"/jobs/{job_id}", headers=bearer(ANA))).status_code == 404


async def test_listings_hold_ones_own(guarded: httpx.AsyncClient, worker: WorkerDouble) -> None:
    own = [await made(guarded, ANA, seed=number) for number in range(3)]
    other = await made(guarded, BEN)
    for query in ("", "?status=succeeded", "?model=breast-cancer-mlp", "?model=breast-cancer-mlp&version=1"):
        for secret, expected in ((ANA, own[::-1]), (BEN, [other])):
            jobs = (await guarded.get(f"/jobs{query}", headers=bearer(secret))).json()["jobs"]
            assert [job["id"] for job in jobs] == expected, query
    page = (await guarded.get("/jobs?limit=2", headers=bearer(ANA))).json()
    stolen = await guarded.get(f"/jobs?cursor={page['next']}", headers=bearer(BEN))
    assert not {job["id"] for job in stolen.json()["jobs"]} & set(own), "nor by another's cursor"


async def test_an_idempotency_key_is_ones_own(guarded: httpx.AsyncClient, worker: WorkerDouble) -> None:
    async def send(secret: str, **more: Any) -> httpx.Response:
        headers = bearer(secret) | {"Idempotency-Key": "order-1"}
        return await guarded.post("/explain", json=row(**more), headers=headers)

    first, other = await send(ANA), await send(BEN, seed=1)
    assert (first.status_code, other.status_code) == (202, 202), "not 422 as for one's own other request"
    assert (await send(ANA)).json()["id"] == first.json()["id"] != other.json()["id"]
    assert (await send(ANA, seed=1)).status_code == 422


async def test_results_are_not_shared_between_keys(guarded: httpx.AsyncClient, worker: WorkerDouble) -> None:
    caches = []
    for secret in (ANA, ANA, BEN):
        result = await guarded.get(f"/jobs/{await made(guarded, secret)}/result", headers=bearer(secret))
        caches.append(result.json()["cache"])
    assert caches == [None, "hit", None]


async def test_the_owner_is_stored_and_not_shown(
    guarded: httpx.AsyncClient, store: JobStore, worker: WorkerDouble
) -> None:
    job_id = await made(guarded, ANA)
    spec: JobSpec = (await store.jobs.get(job_id)).spec
    assert spec.owner == "ana"
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/result"):
        assert "owner" not in (await guarded.get(path, headers=bearer(ANA))).text


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("secret", "limit"), [("slow", "rows_per_minute"), ("small", "queued_rows")])
async def test_a_limit_is_named(guarded: httpx.AsyncClient, idle_worker: WorkerDouble, secret: str, limit: str) -> None:
    statuses = []
    for seed in range(2):
        answer = await guarded.post("/explain", json=row(seed=seed), headers=bearer(secret))
        statuses.append(answer.status_code)
    assert statuses == [202, 429]
    assert answer.json()["type"] == "urn:attribution-service:problem:key-limit-reached"
    assert answer.json()["detail"].startswith(f"{limit}: the key {secret} ")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await guarded.post("/explain", json=row(), headers=bearer(ANA))).status_code == 202


# --- the file, and where keys appear ----------------------------------------------------------------------------------


async def test_hangup_reads_the_file_again(guarded: httpx.AsyncClient, keys: Path) -> None:
    async def status(secret: str) -> int:
        return (await guarded.get("/jobs", headers=bearer(secret))).status_code

    def replace_keys(text: str) -> None:
        keys.write_text(text)
        os.kill(os.getpid(), signal.SIGHUP)

    with structlog.testing.capture_logs() as logs:
        replace_keys("broken")
        while not logs:  # noqa: ASYNC110  the event loop hears of the signal between two of its turns
            await asyncio.sleep(0)
    assert logs[0]["event"] == "keys not read again, the old ones hold"
    assert await status(ANA) == 200
    replace_keys(key("cai", "attr_cai"))
    while await status("attr_cai") != 200:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert await status(ANA) == 401


async def test_keys_are_taken_from_the_header_alone_and_appear_nowhere(
    guarded: httpx.AsyncClient,
    worker: WorkerDouble,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="httpx")  # the log of the test's own client
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        for name in ("key", "api_key", "access_token", "token", "authorization", "Authorization"):
            for path in ("/jobs", "/jobs/x", "/models", "/metrics", "/explain"):
                method = "POST" if path == "/explain" else "GET"
                assert (await guarded.request(method, path, params={name: ANA})).status_code == 401
        for path in (f"/jobs/{ANA}", f"/jobs/{ANA}/result", f"/models/{ANA}", f"/{ANA}", f"/jobs?cursor={ANA}"):
            await guarded.get(path, headers=bearer(ANA))
        for headers in (bearer(ANA + "x"), {"Authorization": f"Basic {ANA}"}, {"Authorization": ANA}):
            await guarded.get("/jobs", headers=headers)
        unknown = await guarded.post("/explain", json=row(model=ANA), headers=bearer(ANA))
        assert unknown.status_code == 404
        broken = await guarded.post("/explain?wait=-1", json=row(), headers=bearer(ANA))
        assert broken.status_code == 422
        assert ANA not in broken.text
        await made(guarded, ANA)
    said = f"{logs} {caplog.text}"
    assert "/jobs/{job_id}" in said
    assert "'key': 'ana'" in said, "its name is logged"
    assert ANA not in said
