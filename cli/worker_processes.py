"""`attribution worker --workers-per-device N`: several worker processes on one device."""

import asyncio
import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.console import EXIT_FAILED, EXIT_USAGE, fail
from cli.measurements_folder import VARIABLE as MEASUREMENTS
from cli.model_directories import VARIABLE, NoModels, joined, model_directories
from cli.processes.child import ChildCommand, ChildFailed
from cli.processes.devices import cores, share_device
from cli.processes.supervisor import SECOND_STOP, Supervisor
from cli.processes.worker_command import worker_command
from cli.start_log import start_log


def run_workers(models: list[Path] | None, device: str | None, count: int) -> int:
    """Serves with `count` worker processes until SIGTERM or SIGINT. Returns the exit code.

    A process that dies is replaced at once, and its successor takes its jobs over. A stop is passed on to all of them,
    as is a second signal, which ends their grace. Five quick deaths in a row end all: what started this process is to
    start it again.
    """
    start_log()
    try:
        found = joined(model_directories(models))
    except NoModels as error:
        fail(str(error), EXIT_USAGE)
    chosen = device or os.environ.get("ATTRIBUTION_DEVICE") or "auto"
    kept = os.environ.get(MEASUREMENTS)  # what the first load measures serves those that replace a process
    folder = contextlib.nullcontext(kept) if kept else TemporaryDirectory(prefix="attribution-measurements-")
    with folder as measurements:
        shared = share_device(chosen, count, cores(), os.environ)
        environment = {VARIABLE: found, MEASUREMENTS: measurements, **shared}
        try:
            asyncio.run(_keep([worker_command(index, environment) for index in range(count)]))
        except ChildFailed as error:
            fail(str(error), EXIT_USAGE if error.code == EXIT_USAGE else EXIT_FAILED)
    return 0


async def _keep(commands: list[ChildCommand]) -> None:
    async with Supervisor(second_stop=SECOND_STOP) as supervisor:
        supervisor.start(*commands)
        await supervisor.wait()
