"""The parts of the service as containers run them: each a process of its own, over one real store."""

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import redis

from tests.e2e.watching import until
from tests.paths import ROOT
from tests.servers import StoreServer, free_port

STOP_S = 120.0


class Part:
    """A process of the service. `arguments` are those of the command `attribution`; leaving it kills the process."""

    def __init__(self, log: Path, store: StoreServer, *arguments: str, variables: dict[str, str]) -> None:
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
        own = {"ATTRIBUTION_REDIS_URL": store.url, "ATTRIBUTION_LOG_LEVEL": "info", "ATTRIBUTION_LOG_FORMAT": "json"}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli", *arguments],
                cwd=ROOT,
                env={**inherited, **own, **variables},
                stdout=output,
                stderr=output,
            )

    def told(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log with this event."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [entry for line in lines if line.startswith("{") and (entry := json.loads(line)).get("event") == event]

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """The exit code, once it has ended.

        Raises:
            AssertionError: it does not end. The message holds its log.
        """
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.log.read_text(errors='replace')[-8000:]}") from None

    def stop(self) -> int:
        """Sends SIGTERM and returns the exit code."""
        self.signal()
        return self.ended()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running():
            self.process.kill()
        self.process.wait()


class WorkerPart(Part):
    """A worker. `variables` are those of its settings."""

    def __init__(self, log: Path, store: StoreServer, models: Path, **variables: str) -> None:
        self.id = f"worker-{secrets.token_hex(4)}"
        self._store = store
        own = {"ATTRIBUTION_WORKER_ID": self.id, "ATTRIBUTION_THREADS": "1", "ATTRIBUTION_BATCH_ROWS": "16"}
        super().__init__(log, store, "worker", "--models", str(models), variables={**own, **variables})

    def wait_until_serving(self) -> Self:
        """Returns once it has announced itself and claims jobs."""
        with redis.Redis.from_url(self._store.url) as raw:
            until(lambda: raw.exists(f"attribution:worker:{self.id}") or not self.is_running(), "the worker")
        assert self.is_running(), self.log.read_text(errors="replace")[-8000:]
        return self


class GatewayPart(Part):
    """A gateway on a free port."""

    def __init__(self, log: Path, store: StoreServer, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(log, store, "gateway", "--port", str(self.port), variables=variables)

    def wait_until_alive(self) -> Self:
        """Returns once it answers."""
        until(lambda: _answers(self.url) or not self.is_running(), "the gateway")
        assert self.is_running(), self.log.read_text(errors="replace")[-8000:]
        return self


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
