"""Runs a check in a process of its own, which can be killed when a forward never returns."""

import json
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

from cli.processes.child import DIE_WITH_PARENT, describe
from workers.jobs.check_row import Begun, CheckRow, Done

LIMITS_A_LOAD = 10  # times a method's limit: a load reads weights and measures the model
START_S = 300.0  # for the process to import torch
LAST_LINES = 20  # lines of a dead process's output in the report


def check_steps(directories: list[Path], limit_s: float) -> Iterator[Begun | CheckRow]:
    """Yields each step as it begins and ends. A method has `limit_s` seconds, a load ten times as long."""
    done: Done | None = Done()
    while done is not None:
        with _child(directories, done) as child:
            done = yield from child.steps(done, limit_s)


class _Child:
    def __init__(self, process: subprocess.Popen[bytes], pipe: int, output: IO[bytes]) -> None:
        self._process = process
        self._pipe = pipe
        self._output = output
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)
        self._read = b""

    def steps(self, done: Done, limit_s: float) -> Generator[Begun | CheckRow, None, Done | None]:
        """Yields steps until the process ends or is killed. Returns what is done, or None when nothing is left."""
        begun = None
        started = monotonic()
        while True:
            allowed_s = START_S if begun is None else limit_s * (1 if begun.method else LIMITS_A_LOAD)
            try:
                line = self._line(started + allowed_s)
            except TimeoutError:
                yield _failed(begun, f"it took longer than the limit of {allowed_s:g} s", allowed_s)
                return _after(begun, done)
            if line is None:
                code = self._process.wait()
                if code == 0:
                    return None
                yield _failed(begun, f"it ended the process: {describe(code)}", monotonic() - started, self._last())
                return _after(begun, done)
            step = _step(line)
            if isinstance(step, Begun):
                if begun is None or step.number != begun.number:
                    done = Done(step.number, done.methods if step.number == done.models else 0)
                begun, started = step, monotonic()
            elif step.method:
                done = Done(done.models, done.methods + 1)
            yield step

    def _line(self, deadline: float) -> bytes | None:
        """The next line; None at the end. Raises `TimeoutError` at the deadline."""
        while b"\n" not in self._read:
            if not self._selector.select(max(0.0, deadline - monotonic())):
                raise TimeoutError
            got = os.read(self._pipe, 65_536)
            if not got:
                return None
            self._read += got
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _last(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.startswith("Extension modules:")][-LAST_LINES:])

    def end(self) -> None:
        """Kills the process and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()


@contextmanager
def _child(directories: list[Path], done: Done) -> Iterator[_Child]:
    reading, writing = os.pipe()
    command = ("-P", "-m", "workers.jobs.check_child", str(writing), str(done.models), str(done.methods))
    path = os.pathsep.join(one for one in sys.path if one)
    with TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603  # a fixed command
            [*DIE_WITH_PARENT, str(os.getpid()), sys.executable, *command, *map(str, directories)],
            stdin=subprocess.DEVNULL,
            stdout=output,  # a model's own output is kept out of the report
            stderr=output,
            pass_fds=(writing,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        os.close(writing)
        child = _Child(process, reading, output)
        try:
            yield child
        finally:
            child.end()
            os.close(reading)


def _step(line: bytes) -> Begun | CheckRow:
    ((kind, fields),) = json.loads(line).items()
    return Begun(**fields) if kind == "Begun" else CheckRow(**fields)


def _failed(begun: Begun | None, why: str, seconds: float, trace: str = "") -> CheckRow:
    if begun is None:
        return CheckRow("the check", "", "failed", f"its process did not start: {why}", 0, seconds, trace)
    return CheckRow(begun.model, begun.method, "failed", why, 0, seconds, trace)


def _after(begun: Begun | None, done: Done) -> Done | None:
    """What to skip in the next process: the method that failed, or the model that did not load."""
    if begun is None:
        return None
    return Done(done.models, done.methods + 1) if begun.method else Done(done.models + 1)
