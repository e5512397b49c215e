"""`attribution gateway`: one gateway process."""

import gc
import socket

import uvicorn

from broker.supported_store import refusal_of_store
from cli.console import EXIT_FAILED, EXIT_USAGE, fail
from cli.processes.listen import CannotListen, listen
from service.app import create_app
from service.monitoring.logging import configure_logging
from service.settings import SettingsError, read_settings
from workers.engine.device.allocator import keep_freed_blocks

GRACE_S = 5  # seconds that open requests have at a stop


def run_gateway(host: str, port: int, descriptor: int | None) -> None:
    """Serves until SIGTERM or SIGINT, on the given address or on a listening socket inherited as `descriptor`."""
    configure_logging()
    keep_freed_blocks()
    try:
        settings = read_settings()
        listening = socket.socket(fileno=descriptor) if descriptor is not None else listen(host, port)
        refused = refusal_of_store(settings)
        if refused is not None:
            fail(refused, EXIT_USAGE)
    except SettingsError as error:
        fail(str(error), EXIT_USAGE)
    except CannotListen as error:
        fail(str(error), EXIT_FAILED)
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,  # the gateway's own log has a line per request
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)
    gc.freeze()  # keeps imported modules out of every later collection
    server.run(sockets=[listening])
