"""uvicorn, configured so that every connection is bounded, and so that a stop answers clients that wait."""

import asyncio
import socket

import structlog
import uvicorn
from fastapi import FastAPI

from service.connections.descriptors import raise_descriptor_limit
from service.connections.door import Door
from service.connections.limits import ConnectionLimits
from service.connections.protocol import protocol_class
from service.settings import GatewaySettings
from service.tuning import BACKLOG

log = structlog.get_logger("service.connections")
GRACE_S = 5  # seconds that open requests have at a stop
LEAVE_S = 1  # seconds for requests to end after that, once their connections are dropped


def _limits(settings: GatewaySettings) -> ConnectionLimits:
    """The limits of connections. Raises this process's limit on open files."""
    limits = ConnectionLimits.of(settings, raise_descriptor_limit())
    if settings.max_connections is not None and limits.connections < settings.max_connections:
        log.warning("fewer connections than configured: too few file descriptors", connections=limits.connections)
    return limits


def _config(app: FastAPI, door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol_class(door),
        ws="none",
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        log_level="error",  # a warning for each malformed request would let clients fill the log
        access_log=False,  # the gateway's own log has a line per request
        server_header=False,
        timeout_graceful_shutdown=GRACE_S + LEAVE_S,
    )


class GatewayServer(uvicorn.Server):
    """A gateway's server. Making it raises this process's limit on open files.

    Its stop ends the waits of clients: each gets 202 with the address of its job, instead of losing its connection.
    Clients that have not sent their request or read their response when the grace period is over are dropped, so that
    their requests end as those of clients that left; what uvicorn has to cancel, it reports as a defect.
    """

    def __init__(self, app: FastAPI, settings: GatewaySettings) -> None:
        self._door = Door(_limits(settings))
        super().__init__(_config(app, self._door))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        gateway = self.lifespan.state.get("gateway")
        if gateway is not None:
            gateway.waits.stop()
        timer = asyncio.get_running_loop().call_later(GRACE_S, self._door.drop_all, "stopping")
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()
