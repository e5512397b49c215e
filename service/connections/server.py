"""uvicorn, configured so that every connection is bounded, and so that a stop answers clients that wait."""

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


def server_config(app: FastAPI, settings: GatewaySettings) -> uvicorn.Config:
    """The configuration of a gateway's server. Raises this process's limit on open files."""
    limits = ConnectionLimits.of(settings, raise_descriptor_limit())
    if settings.max_connections is not None and limits.connections < settings.max_connections:
        log.warning("fewer connections than configured: too few file descriptors", connections=limits.connections)
    return uvicorn.Config(
        app,
        http=protocol_class(Door(limits)),
        ws="none",
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        log_level="error",  # a warning for each malformed request would let clients fill the log
        access_log=False,  # the gateway's own log has a line per request
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


class GatewayServer(uvicorn.Server):
    """A server whose stop ends the waits of clients: each gets 202 with the address of its job, instead of losing its
    connection when the grace period is over."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        gateway = self.lifespan.state.get("gateway")
        if gateway is not None:
            gateway.waits.stop()
        await super().shutdown(sockets)
