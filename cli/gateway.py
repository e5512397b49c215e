"""`attribution gateway`: one gateway process."""

import gc
import socket

import structlog

from broker.stores_file import read_stores
from broker.supported_store import refusal_of_store
from cli.console import EXIT_FAILED, EXIT_USAGE, fail
from cli.processes.listen import CannotListen, bound_host, listen
from cli.start_log import start_log
from cli.tracing.setup import tracer_of_process
from cli.tracing.variables import TracingError
from service.app import create_app
from service.connection_settings import is_loopback
from service.connections.server import GatewayServer
from service.settings import GatewaySettings, SettingsError, read_settings
from workers.engine.device.allocator import keep_freed_blocks

log = structlog.get_logger("service")


def run_gateway(host: str, port: int, descriptor: int | None) -> None:
    """Serves until SIGTERM or SIGINT, on the given address or on a listening socket inherited as `descriptor`."""
    start_log()
    keep_freed_blocks()
    try:
        settings = read_settings()
        listening = socket.socket(fileno=descriptor) if descriptor is not None else listen(host, port)
        refused = _refusal(settings)
        if refused is not None:
            fail(refused, EXIT_USAGE)
        tracer = tracer_of_process("attribution-gateway")
    except (SettingsError, TracingError) as error:
        fail(str(error), EXIT_USAGE)
    except CannotListen as error:
        fail(str(error), EXIT_FAILED)
    settings = settings.model_copy(update={"host": bound_host(listening)})
    if settings.keys is None and not is_loopback(settings.host):
        log.warning("open to all who reach this address; set ATTRIBUTION_KEYS to a file of keys", host=settings.host)
    server = GatewayServer(create_app(settings, tracer=tracer), settings)
    gc.freeze()  # keeps imported modules out of every later collection
    server.run(sockets=[listening])


def _refusal(settings: GatewaySettings) -> str | None:
    """Why the service cannot run on its job store, or on one of several."""
    others = [] if settings.stores is None else read_stores(settings.stores)
    refusals = [refusal_of_store(one.settings(), f"ATTRIBUTION_STORES, {one.name}") for one in others]
    return next((one for one in [refusal_of_store(settings), *refusals] if one is not None), None)
