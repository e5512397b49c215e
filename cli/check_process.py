"""Runs a check in a process of its own, which is ended when a model hangs and replaced when a model ends it."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from cli.processes.child import describe
from cli.processes.die_with_parent import COMMAND as DIE_WITH_PARENT
from workers.jobs.check_progress import CheckEvent, CheckPosition, CheckRow, CheckStarted, from_line

LOAD_LIMIT_FACTOR = 10  # a load may take so many times the limit of a method: it reads weights and measures the model
START_LIMIT_S = 300.0  # for the process to import torch
SHOWN_LINES = 20  # the last ones that a process wrote before it died


def supervised_check(directories: list[Path], limit_s: float, *, shows_output: bool = False) -> Iterator[CheckEvent]:
    """Checks every model of the directories. Each method may take `limit_s`, and each load ten times as long.

    A method that takes longer, or that ends the process, fails; the check goes on with the next one. What the models
    print goes to standard error if `shows_output`; else the end of it is in the row of what ended the process.
    """
    position: CheckPosition | None = CheckPosition()
    while position is not None:
        with _process(directories, position, shows_output) as process:
            position = yield from process.events(position, limit_s)


class _CheckProcess:
    """A process that checks, the pipe that it writes events to, and the file that holds its output."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: int, output: IO[bytes]) -> None:
        self._process = process
        self._pipe = pipe
        self._output = output
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)
        self._buffer = b""

    def events(self, position: CheckPosition, limit_s: float) -> Generator[CheckEvent, None, CheckPosition | None]:
        """The events of the process until it ends or exceeds a limit.

        Returns:
            The position from which the next process continues; None when the check is complete.
        """
        started: CheckStarted | None = None
        started_s = monotonic()
        while True:
            allowed_s = _limit_s(started, limit_s)
            try:
                line = self._next_line(started_s + allowed_s)
            except TimeoutError:
                yield _failure(started, f"it took longer than the limit of {allowed_s:g} s", allowed_s)
                return _position_after(started, position)
            if line is None:
                code = self._process.wait()
                if code == 0:
                    return None
                took_s = monotonic() - started_s
                yield _failure(started, f"it ended the process: {describe(code)}", took_s, self._last_lines())
                return _position_after(started, position)
            event = from_line(line)
            position = _advanced(position, started, event)
            if isinstance(event, CheckStarted):
                started, started_s = event, monotonic()
            yield event

    def _next_line(self, deadline_s: float) -> bytes | None:
        """The next line of the pipe; None at its end. Raises `TimeoutError` at the deadline."""
        while b"\n" not in self._buffer:
            if not self._selector.select(max(0.0, deadline_s - monotonic())):
                raise TimeoutError
            received = os.read(self._pipe, 65_536)
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _last_lines(self) -> str:
        """The last lines that the process wrote, without Python's list of extension modules."""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.startswith("Extension modules:")][-SHOWN_LINES:])

    def end(self) -> None:
        """Kills the process and every process that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()


@contextmanager
def _process(directories: list[Path], position: CheckPosition, shows_output: bool) -> Iterator[_CheckProcess]:
    reading, writing = os.pipe()
    module = ("-P", "-X", "faulthandler", "-m", "workers.jobs.check_child")
    arguments = (str(writing), str(position.models), str(position.methods), *map(str, directories))
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603  # this very program
            [*DIE_WITH_PARENT, str(os.getpid()), sys.executable, *module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if shows_output else output,  # what a model prints is not part of the report
            stderr=sys.stderr if shows_output else output,
            pass_fds=(writing,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        os.close(writing)
        running = _CheckProcess(process, reading, output)
        try:
            yield running
        finally:
            running.end()
            os.close(reading)


def _limit_s(started: CheckStarted | None, limit_s: float) -> float:
    """How long the process may take until its next event."""
    if started is None:
        return START_LIMIT_S
    return limit_s if started.method else limit_s * LOAD_LIMIT_FACTOR


def _advanced(position: CheckPosition, started: CheckStarted | None, event: CheckEvent) -> CheckPosition:
    """The position after an event: a later model begins, or a method of the current one is complete."""
    if isinstance(event, CheckStarted):
        if started is not None and event.number == started.number:
            return position
        return CheckPosition(event.number, position.methods if event.number == position.models else 0)
    return CheckPosition(position.models, position.methods + 1) if event.method else position


def _position_after(started: CheckStarted | None, position: CheckPosition) -> CheckPosition | None:
    """The position after the method, or the model, that ended the process; None if nothing had started."""
    if started is None:
        return None
    if started.method:
        return CheckPosition(position.models, position.methods + 1)
    return CheckPosition(position.models + 1)


def _failure(started: CheckStarted | None, reason: str, seconds: float, trace: str = "") -> CheckRow:
    if started is None:
        return CheckRow("the check", "", "failed", f"its process did not start: {reason}", 0, seconds, trace)
    return CheckRow(started.model, started.method, "failed", reason, 0, seconds, trace)
