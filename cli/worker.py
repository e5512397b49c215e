"""`attribution worker`: one worker process."""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from pydantic import ValidationError

from broker import JobStore, StoreSettings, WorkerInfo
from cli.console import EXIT_FAILED, EXIT_USAGE, fail
from cli.model_directories import VARIABLE, NoModels, joined, model_directories
from cli.processes.worker_command import WORKER_ID
from cli.tracing.setup import tracer_of_process
from cli.tracing.variables import TracingError

LIBRARIES = (
    "workers.main",
    "sklearn.linear_model",
    "transformers.modeling_utils",
)  # that take a worker seconds to load


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, for imports. They make some hundred thousand objects that live for ever, and each
    full collection walks through all of them: a sixth of the time of the imports of a worker."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run_worker(models: list[Path] | None, device: str | None) -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code."""
    began_s = time.monotonic()
    try:
        os.environ[VARIABLE] = joined(model_directories(models))
    except NoModels as error:
        fail(str(error), EXIT_USAGE)
    if device is not None:
        os.environ["ATTRIBUTION_DEVICE"] = device
    with uncollected():  # torch takes seconds
        from broker.supported_store import refusal_of_store  # noqa: PLC0415
        from cli.start_log import start_log  # noqa: PLC0415
        from workers.main import run  # noqa: PLC0415
        from workers.repository.folders import UnknownModels  # noqa: PLC0415
        from workers.settings import WorkerSettings  # noqa: PLC0415

    start_log()
    try:
        settings = WorkerSettings()
        tracer = tracer_of_process("attribution-worker", settings.worker_id)
    except ValidationError as error:
        fail(_first_fault(error), EXIT_USAGE)
    except TracingError as error:
        fail(str(error), EXIT_USAGE)
    refused = refusal_of_store(settings)
    if refused is not None:
        fail(refused, EXIT_USAGE)
    try:
        return run(settings, tracer, began_s=began_s)
    except UnknownModels as error:
        fail(f"ATTRIBUTION_SERVE: {error}", EXIT_USAGE)


def stand_by() -> bool:
    """Loads the libraries of a worker, then waits for a line on standard input: the variables to run with, as JSON.

    Returns:
        False when none will come: what started this process has ended.
    """
    from cli.start_log import start_log  # noqa: PLC0415

    with uncollected():
        for name in LIBRARIES:
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(name)
    start_log()
    structlog.get_logger("standby").info("standby ready", pid=os.getpid())
    line = sys.stdin.readline()
    if not line:
        return False
    os.environ.update({str(name): str(value) for name, value in json.loads(line).items()})
    return True


def check_health(workers_per_device: int = 1) -> None:
    """Exits with 0 when the worker of this container has a fresh heartbeat. For container health checks.

    The worker is the one named by `ATTRIBUTION_WORKER_ID`. Without that variable it is one of this host whose process
    this one can see: in a container, the container's own. Of several, one is enough: the others are being replaced.
    """
    from schemas.errors import Unavailable  # noqa: PLC0415

    async def live() -> list[WorkerInfo]:
        settings = StoreSettings()
        store = JobStore(settings.store_url, namespace=settings.namespace)
        try:
            return await store.workers.live()
        finally:
            await store.close()

    try:
        workers = asyncio.run(live())
    except ValidationError as error:
        fail(_first_fault(error), EXIT_USAGE)
    except Unavailable as error:
        fail(error.detail, EXIT_FAILED)
    if not any(_is_ours(worker, workers_per_device) for worker in workers):
        fail("no heartbeat of this worker within the last seconds", EXIT_FAILED)


def _is_ours(worker: WorkerInfo, workers_per_device: int) -> bool:
    """Whether the heartbeat is that of a worker that this container runs."""
    name = os.environ.get(WORKER_ID)
    if name and workers_per_device > 1:
        return re.fullmatch(rf"{re.escape(name)}-\d+-\d+", worker.id) is not None
    if name:
        return worker.id == name
    return worker.host == socket.gethostname() and _runs(worker.pid)


def _runs(pid: int) -> bool:
    """Whether there is a process of this id that this one can see."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _first_fault(error: ValidationError) -> str:
    """The variable that holds a bad value, and why it is bad."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"ATTRIBUTION_{str(first['loc'][0]).upper()}: {first['msg']}"
