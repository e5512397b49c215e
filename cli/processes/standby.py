"""A process that has loaded its libraries and waits: it takes the place of one that dies without their seconds."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping

import structlog

from cli.processes.die_with_parent import COMMAND as DIE_WITH_PARENT

log = structlog.get_logger("supervisor")
DELAY_S = 10.0  # before the next one is started: a new worker loads its models meanwhile, and has the cores


class Standby:
    """One such process, of a command that waits for a line on its standard input: the variables to run with, as JSON.

    It dies with the supervisor. Where there is none, or it has died, the caller starts its process as usual.
    """

    def __init__(self, command: tuple[str, ...], delay_s: float = DELAY_S) -> None:
        self._command = command
        self._delay_s = delay_s
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the process that waits."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def prepare(self) -> None:
        """Starts the process after `delay_s` seconds, unless one waits or is to be started."""
        if self.pid is None and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self._start(), name="standby")

    async def take(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process | None:
        """The process, told to run with these variables; None if none waits. The next one is prepared."""
        process, self._process = self._process, None
        taken = None
        if process is not None and process.returncode is None and process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                process.stdin.write(json.dumps(dict(environment)).encode() + b"\n")
                await process.stdin.drain()
                process.stdin.close()
                taken = process
        self.prepare()
        return taken

    async def close(self) -> None:
        """Ends the process."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _start(self) -> None:
        await asyncio.sleep(self._delay_s)
        self._process = await asyncio.create_subprocess_exec(
            *DIE_WITH_PARENT,
            str(os.getpid()),
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        log.info("standby started", pid=self._process.pid)
