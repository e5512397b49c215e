"""`attribution worker`: one worker process on one device."""

import asyncio
import contextlib
import importlib
import json
import os
import socket
import sys
from pathlib import Path

import structlog
from pydantic import ValidationError

from cli.console import EXIT_FAILED, EXIT_USAGE, fail
from cli.model_directories import VARIABLE, NoModels, joined, model_directories

LIBRARIES = ("workers.main", "sklearn.linear_model", "transformers")  # that take a worker seconds to load


def run_worker(models: list[Path] | None, device: str | None) -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code."""
    try:
        os.environ[VARIABLE] = joined(model_directories(models))
    except NoModels as error:
        fail(str(error), EXIT_USAGE)
    if device is not None:
        os.environ["ATTRIBUTION_DEVICE"] = device
    from service.monitoring.logging import configure_logging  # noqa: PLC0415  # before torch, which takes seconds
    from workers.main import run  # noqa: PLC0415
    from workers.settings import WorkerSettings  # noqa: PLC0415

    configure_logging()
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        fail(f"ATTRIBUTION_{str(first['loc'][0]).upper()}: {first['msg']}", EXIT_USAGE)
    return run(settings)


def stand_by() -> bool:
    """Loads the libraries of a worker, then waits for a line on standard input: the variables to run with, as JSON.

    Returns:
        False when none will come: what started this process has ended.
    """
    from service.monitoring.logging import configure_logging  # noqa: PLC0415

    for name in LIBRARIES:
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)
    configure_logging()
    structlog.get_logger("standby").info("standby ready", pid=os.getpid())
    line = sys.stdin.readline()
    if not line:
        return False
    os.environ.update({str(name): str(value) for name, value in json.loads(line).items()})
    return True


def check_health() -> None:
    """Exits with 0 when a worker of this host has a fresh heartbeat. For container health checks."""
    from broker import JobStore, StoreSettings  # noqa: PLC0415
    from schemas.errors import Unavailable  # noqa: PLC0415

    async def hosts() -> set[str]:
        settings = StoreSettings()
        store = JobStore(settings.redis_url, namespace=settings.namespace)
        try:
            return {worker.host for worker in await store.workers.live()}
        finally:
            await store.close()

    try:
        alive = socket.gethostname() in asyncio.run(hosts())
    except Unavailable as error:
        fail(error.detail, EXIT_FAILED)
    if not alive:
        fail("no worker of this host has sent a heartbeat lately", EXIT_FAILED)
