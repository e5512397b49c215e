"""Starts, observes and stops the service and the plain handler as processes."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).parents[1]
READY = re.compile(r"Ready on (http://\S+)")
STOP_TIMEOUT_S = 60.0


class Server:
    """A process that prints `Ready on URL` on its standard output, as a context manager.

    Raises:
        RuntimeError: on entry, with the end of its log, if it ends before it is ready.
    """

    def __init__(self, *command: str, variables: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, *command]
        self._variables = variables or {}
        self.url = ""

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "ATTRIBUTION_LOG_LEVEL": "info", **self._variables}
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        for line in self._process.stdout or ():
            if match := READY.search(line):
                self.url = match[1]
                return self
        self._log.seek(0)
        raise RuntimeError(f"{self._command[1:]} did not start:\n{self._log.read()[-4000:].decode(errors='replace')}")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self._process.pid).children(recursive=True):
                child.kill()
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def log(self) -> str:
        """What it and its processes have logged so far."""
        log = self._log.fileno()
        return os.pread(log, os.fstat(log).st_size, 0).decode(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """The process and all its descendants."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def worker(self) -> psutil.Process:
        """The worker, which holds the models."""
        return next(p for p in self.processes() if "worker" in p.cmdline())

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far by the `worker` and by `the rest`."""
        used: dict[str, float] = {}
        for process in self.processes():
            name = "worker" if "worker" in process.cmdline() else "the rest"
            times = process.cpu_times()
            used[name] = used.get(name, 0.0) + times.user + times.system
        return used

    def counters(self, model: str) -> dict[str, float]:
        """The worker's own counters for a model, by name, from `/metrics`."""
        with urllib.request.urlopen(f"{self.url}/metrics") as response:
            lines = response.read().decode().splitlines()
        counters: dict[str, float] = {}
        for line in lines:
            if line.startswith("attribution_worker_") and f'model="{model}@' in line:
                name = line.partition("{")[0].removeprefix("attribution_worker_")
                counters[name] = counters.get(name, 0.0) + float(line.rpartition(" ")[2])
        return counters

    def counted_since(self, before: dict[str, float], model: str, jobs: int) -> dict[str, float]:
        """Increases of the worker's counters since `before`. Waits for the heartbeat that includes `jobs` jobs."""
        while True:
            counters = self.counters(model)
            if counters["jobs_total"] - before["jobs_total"] >= jobs:
                return {name: value - before.get(name, 0.0) for name, value in counters.items()}
            sleep(0.1)


def service(**variables: str) -> Server:
    """`attribution serve` with the shipped models, on a free port."""
    return Server("-m", "cli", "serve", "--port", "0", "--models", "models", variables=variables)


def plain_handler() -> Server:
    """`benchmarks.plain_handler`. Its OpenMP threads spin as long as torch's do by default."""
    return Server("-m", "benchmarks.plain_handler", variables={"GOMP_SPINCOUNT": "300000"})


def peak_rss_bytes(process: psutil.Process) -> int:
    """The most memory that a process has held at once since its start, or since `forget_peak`."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def forget_peak(process: psutil.Process) -> None:
    """Resets the peak to the memory that the process holds now."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
