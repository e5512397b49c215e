"""What only a real server shows: event streams, clients that leave, bodies cut short."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
from fastapi import FastAPI, Request, Response

from service.app import create_app
from service.http.disconnect import unless_disconnected
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble
from tests.service.server import Server
from tests.service.validation.refusals import row


@pytest.fixture
def served(store_server: StoreServer) -> Iterator[tuple[httpx.Client, WorkerDouble]]:
    """A gateway as in production, on a store of its own database, and a worker that has not started."""
    url = store_server.url.removesuffix("/0") + "/7"
    with redis.Redis.from_url(url) as database:
        database.flushdb()
    worker = WorkerDouble(url, "attribution")
    settings = GatewaySettings(redis_url=url, max_body_bytes=100_000)
    with Server(create_app(settings)) as server, httpx.Client(base_url=server.url, timeout=20) as client:
        yield client, worker
    worker.stop()


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_events(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, worker = served
    job = client.post("/explain", json=row()).json()
    with client.stream("GET", job["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = events(answer.iter_lines())
        assert next(stream) == ("job", job)
        worker.start()
        seen = [job_now for name, job_now in stream if name == "job"]  # ends with the stream
    statuses = [job_now["status"] for job_now in seen]
    assert statuses[0] == "running"
    assert statuses[-1] == "succeeded"
    assert seen[-1] == client.get(job["links"]["self"]).json()


def test_events_of_an_ended_job(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    job = client.post("/explain", json=row()).json()
    client.delete(job["links"]["self"])
    with client.stream("GET", job["links"]["events"]) as answer:
        assert [job_now["status"] for _, job_now in events(answer.iter_lines())] == ["cancelled"]


def test_an_outage_ends_the_stream_with_a_problem() -> None:
    with StoreServer() as store:
        worker = WorkerDouble(store.url, "attribution")
        settings = GatewaySettings(redis_url=store.url)
        with Server(create_app(settings)) as server, httpx.Client(base_url=server.url, timeout=20) as client:
            job = client.post("/explain", json=row()).json()
            with client.stream("GET", job["links"]["events"]) as answer:
                stream = events(answer.iter_lines())
                assert next(stream)[0] == "job"
                store.stop()
                ((name, problem),) = stream
        worker.stop()
    assert name == "problem"
    assert problem["type"].endswith("store-unavailable")


def test_a_client_that_leaves_while_waiting(served: tuple[httpx.Client, WorkerDouble]) -> None:
    """The job goes on, the server too, and nothing is left of the request."""
    client, worker = served
    worker.gate.clear()
    worker.start()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/explain?wait=60", json=row(), timeout=0.3)
    assert worker.claimed.wait(10)
    worker.gate.set()
    assert client.post("/explain?wait=15", json=row()).status_code == 200
    assert [job["status"] for job in client.get("/jobs").json()["jobs"]] == ["succeeded", "succeeded"]
    assert 'route="/explain",status="499"' in client.get("/metrics").text


def test_work_is_cancelled_when_the_client_leaves() -> None:
    app = FastAPI()
    started, cancelled = threading.Event(), threading.Event()

    async def endless() -> bool:
        started.set()
        try:
            return await asyncio.Event().wait()
        finally:
            cancelled.set()

    @app.post("/")
    async def wait(request: Request) -> Response:
        await request.body()
        await unless_disconnected(request, endless())
        return Response()

    with Server(app) as server, socket.create_connection(("127.0.0.1", server.port)) as leaver:
        leaver.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert started.wait(10)
        leaver.close()
        assert cancelled.wait(10)


def test_bodies_are_bounded_on_the_wire(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as rude:
        rude.sendall(
            b"POST /explain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100001\r\n\r\n"
        )
        answer = rude.makefile("rb").read()  # refused before a byte of the body, and closed
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer

    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b" " * 10_000

    try:
        refused = client.post("/explain", content=endless(), headers={"Content-Type": "application/json"})
        assert refused.status_code == 413
    except httpx.WriteError:
        pass  # the server closed while the client was still sending
    assert client.get("/healthz").status_code == 200


def test_a_body_cut_short(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as cut:
        cut.sendall(
            b"POST /explain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
    assert client.get("/healthz").status_code == 200
    assert client.get("/jobs").json()["jobs"] == []
    assert 'route="/explain",status="499"' in client.get("/metrics").text
