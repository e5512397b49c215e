"""One process that is kept running, and what was done to it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cli.processes.child import DIE_WITH_PARENT

STOP_TIMEOUT_S = 20.0
RESTART_PAUSE_S = 0.2  # before a process that died is started again, so that a crash loop takes no whole core


@dataclass(frozen=True)
class Death:
    """One end of a process. `wanted`: the harness caused it. `at_s` is `time.time()`."""

    name: str
    at_s: float
    code: int
    wanted: bool


@dataclass
class Keeper:
    """Starts a command and restarts it, as a supervisor would, until it is stopped."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _task: asyncio.Task[None] | None = None
    _wanted: bool = False
    _stopping: bool = False

    @property
    def pid(self) -> int | None:
        """The id of the running process."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Starts the process, and keeps it."""
        self._task = asyncio.create_task(self._keep(), name=self.name)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal. SIGKILL and SIGTERM make the next death a wanted one."""
        if self._process is not None and self._process.returncode is None:
            self._wanted = self._wanted or number in {signal.SIGKILL, signal.SIGTERM}
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self) -> None:
        """Ends the process for good: SIGCONT and SIGTERM, then SIGKILL."""
        self._stopping = True
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if self._task is not None:
            _, pending = await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)
            if pending:
                self.send(signal.SIGKILL)
                await asyncio.wait([self._task])

    def resident_mib(self) -> float:
        """Resident memory of the process, MiB; 0 when it does not run."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20 if self.pid else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    async def _keep(self) -> None:
        while not self._stopping:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *DIE_WITH_PARENT,
                    str(os.getpid()),
                    *self.command,
                    env=dict(self.environment),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            code = await self._process.wait()
            if self._stopping:
                return
            self.deaths.append(Death(self.name, time.time(), code, self._wanted))
            self._wanted = False
            await asyncio.sleep(RESTART_PAUSE_S)
