"""The server's stop over an application whose requests do not end by themselves."""

import asyncio
import logging
import socket

import pytest
from fastapi import FastAPI, Response
from prometheus_client import generate_latest

from service.connections import server as server_module
from service.connections.server import GatewayServer
from service.http.access_log import AccessLog
from service.monitoring.http_metrics import HttpMetrics
from service.settings import GatewaySettings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("clients", [1, 5])
async def test_a_request_that_does_not_end_is_cut_without_a_defect(
    clients: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "GRACE_S", 0.2)
    monkeypatch.setattr(server_module, "LEAVE_S", 0.2)
    cut = 0
    begun = asyncio.Semaphore(0)
    app, metrics = FastAPI(), HttpMetrics()
    app.add_middleware(AccessLog, metrics=metrics)

    @app.get("/endless")
    async def endless() -> Response:
        nonlocal cut
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            cut += 1
        return Response()

    with socket.create_server(("127.0.0.1", 0)) as listening, caplog.at_level(logging.INFO):
        server = GatewayServer(app, GatewaySettings())
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
        for _, writer in connections:
            writer.write(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await begun.acquire()
        server.should_exit = True
        await asyncio.wait_for(serving, 30)
        for _, writer in connections:
            writer.close()
    assert cut == clients
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert f'route="/endless",status="499"}} {clients}.0'.encode() in generate_latest(metrics.registry)
