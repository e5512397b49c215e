"""A gateway in a process of its own, as `attribution gateway` starts it, with short limits; and rude clients."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from cli.processes.listen import listen
from tests.paths import ROOT

TIMEOUT_S = 30.0  # far more than anything here takes: a hang
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SHORT = {
    "ATTRIBUTION_HEAD_TIMEOUT_S": "1",
    "ATTRIBUTION_BODY_GRACE_S": "1",
    "ATTRIBUTION_WRITE_TIMEOUT_S": "1",
}


class GatewayProcess:
    """Listens on a free loopback port until closed; `variables` are added to a clean environment."""

    def __init__(self, log: Path, store_url: str, wrapper: Sequence[str] = (), **variables: str) -> None:
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
        with listen("127.0.0.1", 0) as listening, log.open("wb") as errors:
            self.port: int = listening.getsockname()[1]
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-P", "-m", "cli", "gateway", "--fd", str(listening.fileno())],
                env={
                    **inherited,
                    "PYTHONPATH": str(ROOT),
                    "ATTRIBUTION_REDIS_URL": store_url,
                    "ATTRIBUTION_LOG_LEVEL": "info",
                    **SHORT,
                    **variables,
                },
                pass_fds=[listening.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self.url = f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """A new connection. Its calls raise `TimeoutError` after 30 s."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def resident_mib(self) -> float:
        """The memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def close(self) -> None:
        """Stop the process."""
        self.process.terminate()
        self.process.wait(TIMEOUT_S)


@contextmanager
def gateway_process(
    log: Path, store_url: str, wrapper: Sequence[str] = (), **variables: str
) -> Iterator[GatewayProcess]:
    """A gateway that answers; `wrapper` is a command that runs the command that follows it."""
    gateway = GatewayProcess(log, store_url, wrapper, **variables)
    try:
        assert httpx.get(f"{gateway.url}/healthz", timeout=TIMEOUT_S, trust_env=False).status_code == 200
        yield gateway
    finally:
        gateway.close()


def response_of(connection: socket.socket) -> bytes:
    """All that the gateway sends until it closes; empty if it resets the connection."""
    received = bytearray()
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionError:
        pass
    return bytes(received)


class Probes:
    """Asks `/healthz` again and again, on new connections, while entered; `seconds` holds how long each took.

    Raises in the end what an unanswered probe has raised.
    """

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self.seconds: list[float] = []

    def __enter__(self) -> "Probes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def median_ms(self) -> float:
        """Half of the probes took less, in milliseconds."""
        return 1000 * sorted(self.seconds)[len(self.seconds) // 2]

    def longest_ms(self) -> float:
        """The slowest probe, in milliseconds."""
        return 1000 * max(self.seconds)

    def _ask(self) -> bytes:
        with self._gateway.connect() as connection:
            connection.sendall(HEALTH)
            return response_of(connection)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                began = time.perf_counter()
                answer = self._ask() or self._ask()  # in the moment of a flood all places may be taken: ask again
                self.seconds.append(time.perf_counter() - began)
                assert answer.startswith(b"HTTP/1.1 200 "), answer
        except Exception as error:  # raised again in the thread of the test
            self._error = error
