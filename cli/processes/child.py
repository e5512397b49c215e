"""One process that the supervisor keeps running."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from cli.processes.backoff import Backoff
from cli.processes.die_with_parent import COMMAND as DIE_WITH_PARENT
from cli.processes.standby import Standby

log = structlog.get_logger("supervisor")

STEADY_S = 10.0  # a process that lived this long is not in a crash loop
HOPELESS = frozenset({2, 127})  # a wrong setting, or a missing program: a restart cannot help


class ChildFailed(Exception):
    """A process died repeatedly before the service was up. The message is for the operator.

    Attributes:
        code: with which it ended last.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class ChildCommand:
    """A command to run.

    Attributes:
        environment: added to the supervisor's own.
        grace_s: the time it may take to stop before it is killed.
        of_birth: more variables, for the first process of this command, the second, and so on from 1.
        standby: a process that may take the place of one that died.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    grace_s: float = 10.0
    of_birth: Callable[[int], Mapping[str, str]] = lambda _: {}
    standby: Standby | None = None


class Child:
    """Runs one program and restarts it until it is stopped.

    It leads a process group of its own, so that Ctrl-C in a terminal reaches the supervisor alone and the stop has an
    order, and it dies with the supervisor, however that ends.
    """

    def __init__(self, program: ChildCommand, max_deaths: int = 5) -> None:
        self.program = program
        self._max_deaths = max_deaths
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._settled = False
        self._births = 0

    @property
    def pid(self) -> int | None:
        """The process id of the running process."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> asyncio.Task[None]:
        """Starts the program and returns the task that keeps it running.

        The task ends when the child was stopped, or with `ChildFailed` when it died too often before `settle`.
        """
        self._task = asyncio.create_task(self._keep(), name=self.program.name)
        return self._task

    def settle(self) -> None:
        """Marks the service as up: from now on, the program is restarted without limit, with growing pauses."""
        self._settled = True

    async def stop(self) -> None:
        """Sends SIGTERM, waits for the grace period, then sends SIGKILL to the whole group."""
        self._stop.set()
        if self._task is None:
            return
        self.signal(signal.SIGTERM)
        _, pending = await asyncio.wait([self._task], timeout=self.program.grace_s)
        if pending:
            log.warning("killed", child=self.program.name, grace_s=self.program.grace_s)
            self.signal(signal.SIGKILL)
            await asyncio.wait([self._task])

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group; none where no process runs."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        pauses = Backoff(first_s=0.5, most_s=30.0)
        deaths = 0
        while not self._stop.is_set():
            born_s = clock()
            code = await self._live()
            if self._stop.is_set():
                return
            if clock() - born_s >= STEADY_S:
                pauses.reset()
                deaths = 0
            deaths += 1
            log.warning("died", child=self.program.name, cause=describe(code), deaths=deaths)
            if not self._settled and (code in HOPELESS or deaths >= self._max_deaths):
                raise ChildFailed(f"the {self.program.name} does not start ({describe(code)})", code)
            if deaths > 1:  # the first restart is immediate: most deaths happen once
                await self._stopped_within(pauses.next_s())

    async def _live(self) -> int:
        """Runs the process once. Returns its exit code."""
        process = self._process = await self._begin()
        log.info("started", child=self.program.name, pid=process.pid)
        if self._stop.is_set():  # a stop was requested during the start
            self.signal(signal.SIGTERM)
        code = await process.wait()
        self._sweep(process.pid)
        return code

    async def _begin(self) -> asyncio.subprocess.Process:
        """A process of the command: the one that stands by, or a new one."""
        program = self.program
        self._births += 1
        environment = {**program.environment, **program.of_birth(self._births)}
        if program.standby is not None and self._births > 1:
            taken = await program.standby.take(environment)
            if taken is not None:
                return taken
        return await asyncio.create_subprocess_exec(
            *DIE_WITH_PARENT,
            str(os.getpid()),
            *program.command,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=program.pass_fds,
            start_new_session=True,
        )

    async def _stopped_within(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), pause_s)

    @staticmethod
    def _sweep(group: int) -> None:
        """Kills what the dead process started, so that nothing holds its ports, devices or leases."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def describe(code: int) -> str:
    """How a process ended, in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
