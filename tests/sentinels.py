"""A primary, a replica and sentinels that watch them: real servers on loopback."""

import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from tests.servers import StoreKind, StoreServer, free_port, store_binary

LIMIT_S = 30.0
SERVICE = "jobs"
PASSWORD = "of-the-servers"
CONFIG = """\
port {port}
bind 127.0.0.1
dir "{folder}"
sentinel monitor {service} 127.0.0.1 {primary} {quorum}
sentinel auth-pass {service} {password}
sentinel down-after-milliseconds {service} 1000
sentinel failover-timeout {service} 5000
"""


class Sentinels:
    """Two servers and `count` sentinels; `url` names the sentinels, behind one that does not exist."""

    def __init__(self, kind: StoreKind, count: int = 3) -> None:
        common: dict[str, str | int] = {"repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1}
        self.primary = StoreServer(kind, options=common)
        self.replica = StoreServer(kind, options=common)
        for server in (self.primary, self.replica):
            with redis.Redis.from_url(server.url) as client:
                client.config_set("masterauth", PASSWORD)
                client.config_set("requirepass", PASSWORD)
        with self.client(self.replica.port) as client:
            client.replicaof("127.0.0.1", self.primary.port)
        self._folder = tempfile.TemporaryDirectory(prefix="sentinels-")
        self._processes: list[subprocess.Popen[bytes]] = []
        self.ports = [free_port() for _ in range(count)]
        for port in self.ports:
            self._start(kind, port, quorum=count // 2 + 1)
        hosts = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *self.ports))
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/{SERVICE}/3"
        self.until(lambda: all(self._knows_all(port) for port in self.ports))

    @staticmethod
    def client(port: int) -> redis.Redis:
        return redis.Redis(port=port, password=PASSWORD)

    def primary_port(self) -> int:
        """The port of the server that the sentinels name."""
        with redis.Redis(port=self.ports[0]) as sentinel:
            return int(sentinel.sentinel_get_master_addr_by_name(SERVICE)[1])

    def fail_over(self) -> None:
        """Has the sentinels make the replica the primary, and waits until it is."""
        before = self.primary_port()
        with redis.Redis(port=self.ports[0]) as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
        self.until(lambda: self.primary_port() != before)
        self.until(lambda: self._role(self.replica.port) == b"master")
        self.until(lambda: self._role(before) == b"slave")

    def until(self, is_so: Any) -> None:
        """Returns once `is_so()`; raises `TimeoutError` after a time that tells a hang."""
        deadline = time.monotonic() + LIMIT_S
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError("the sentinels do not agree")
            self.pause()

    def pause(self) -> None:
        """Returns after a moment between two looks, or when a sentinel has died."""
        with suppress(subprocess.TimeoutExpired):
            self._processes[0].wait(timeout=0.05)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait(LIMIT_S)
        self.primary.close()
        self.replica.close()
        self._folder.cleanup()

    def _start(self, kind: StoreKind, port: int, quorum: int) -> None:
        folder = Path(self._folder.name) / str(port)
        folder.mkdir()
        config = folder / "sentinel.conf"
        config.write_text(
            CONFIG.format(
                port=port,
                folder=folder,
                service=SERVICE,
                primary=self.primary.port,
                quorum=quorum,
                password=PASSWORD,
            )
        )
        command = [str(store_binary(kind)), str(config), "--sentinel"]
        self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def _knows_all(self, port: int) -> bool:
        """Whether this sentinel knows the others, and a replica that could take over."""
        try:
            with redis.Redis(port=port) as sentinel:
                state = sentinel.sentinel_master(SERVICE)
                others = int(state["num-other-sentinels"])
                replicas = sentinel.sentinel_slaves(SERVICE)
        except redis.RedisError:
            return False
        return others == len(self.ports) - 1 and any(one["master-link-status"] == "ok" for one in replicas)

    def _role(self, port: int) -> Any:
        try:
            with self.client(port) as client:
                return client.execute_command("ROLE")[0]
        except redis.RedisError:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
