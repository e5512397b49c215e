"""A second gateway on the store of the shared service, with settings of its own: no model is loaded again."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT

STOP_TIMEOUT_S = 30.0


@contextmanager
def gateway(redis_url: str, log: Path, **variables: str) -> Iterator[str]:
    """Starts a gateway with these `ATTRIBUTION_*` variables and yields its address.

    The test opens the listening socket, so that a client's connection waits for the gateway and nobody has to poll.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as errors:
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "gateway", "--fd", str(listening.fileno())],
            cwd=ROOT,
            env={**inherited, "ATTRIBUTION_REDIS_URL": redis_url, **variables},
            stdout=errors,
            stderr=errors,
            pass_fds=(listening.fileno(),),
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)
