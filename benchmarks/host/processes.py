"""The service as processes: a job store, gateways on one socket, and workers on stand-in devices."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.host.worker import BATCH_ROWS
from cli.processes.child import ChildCommand
from cli.processes.die_with_parent import COMMAND as DIE_WITH_PARENT
from cli.processes.embedded import EmbeddedStore
from cli.processes.listen import listen, url_of
from cli.processes.wait_ready import ready

ROOT = Path(__file__).parents[2]
MODELS = Path(__file__).parent / "models"
STOP_TIMEOUT_S = 60.0


class HostService:
    """The running service.

    Attributes:
        url: of its gateways.
        processes: by role: `store`, `gateway`, `worker`.
        folder: with their logs, and the passes of each device.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.processes: dict[str, list[psutil.Process]] = {"store": [], "gateway": [], "worker": []}
        self.folder = folder

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far, by role, and by this process as `load`."""
        used = {role: sum(map(_cpu_s, processes)) for role, processes in self.processes.items()}
        return used | {"load": _cpu_s(psutil.Process())}

    def passes(self) -> list[dict[str, Any]]:
        """The passes of all devices so far, in the order in which they began."""
        lines = [line for path in self.folder.glob("*.jsonl") for line in path.read_text().splitlines()]
        return sorted(map(json.loads, lines), key=lambda one: float(one["began_s"]))


@contextlib.contextmanager
def host_service(
    *, gateways: int = 1, workers: int = 1, eager: bool = False, shared: bool = False
) -> Iterator[HostService]:
    """Starts the service, and stops it at the end.

    Args:
        gateways: processes that accept connections on one socket.
        workers: processes, each with a device of its own.
        shared: the processes share one device instead; see `benchmarks.host.shared_device`.
        eager: devices never say that they are busy; see `benchmarks.host.worker`.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="host-bench-")))
        store = stack.enter_context(contextlib.closing(EmbeddedStore()))
        listening = stack.enter_context(listen("127.0.0.1", 0))
        service = HostService(url_of(listening), folder)
        environment = {
            "ATTRIBUTION_REDIS_URL": store.url,
            "ATTRIBUTION_MODELS": str(MODELS),
            "ATTRIBUTION_DEVICE": "cpu",
            "ATTRIBUTION_THREADS": "1",
            "ATTRIBUTION_BATCH_ROWS": str(BATCH_ROWS),
            "ATTRIBUTION_RESULT_TTL_S": "60",  # or the results of all rounds fill the store
        }
        descriptor = listening.fileno()
        gateway = ChildCommand(
            "gateway", (sys.executable, "-m", "cli", "gateway", "--fd", str(descriptor)), environment, (descriptor,)
        )
        _start(stack, service, "store", store.program())
        asyncio.run(store.answering())
        for _ in range(gateways):
            _start(stack, service, "gateway", gateway)
        for number in range(workers):
            own = {"STAND_IN_TRACE": str(folder / f"{number}.jsonl"), "STAND_IN_EAGER": "1" if eager else ""}
            if shared:
                own["STAND_IN_SHARED"] = str(folder / "device")
            command = (sys.executable, "-m", "benchmarks.host.worker")
            _start(stack, service, "worker", ChildCommand(f"worker {number}", command, environment | own))
        asyncio.run(ready(service.url))
        yield service


def _start(stack: contextlib.ExitStack, service: HostService, role: str, command: ChildCommand) -> None:
    log = stack.enter_context((service.folder / f"{command.name}.log").open("ab"))
    process = subprocess.Popen(
        [*DIE_WITH_PARENT, str(os.getpid()), *command.command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **command.environment},
        pass_fds=command.pass_fds,
        stdout=log,
        stderr=log,
    )
    stack.callback(_stop, process)
    service.processes[role].append(psutil.Process(process.pid))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
