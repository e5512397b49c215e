"""Clients that disconnect while the gateway waits for them."""

import asyncio
import socket
import threading

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from service.http.disconnect import unless_disconnected
from tests.service.double import WorkerDouble
from tests.service.server import Server
from tests.service.validation.refusals import row


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
        leaver.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        assert started.wait(10)
        leaver.close()
        assert cancelled.wait(10)


def test_a_body_cut_short(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as cut:
        cut.sendall(
            b"POST /explain HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
    assert client.get("/healthz").status_code == 200
    assert client.get("/jobs").json()["jobs"] == []
    assert 'route="/explain",status="499"' in client.get("/metrics").text
