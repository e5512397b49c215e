"""A worker process: loads its models, then claims and runs jobs until a signal stops it."""

import gc
import signal
import sys
import threading
import warnings
from collections.abc import Callable

import structlog

from broker import WorkerQueue
from schemas.errors import Unavailable
from workers.engine.device.allocator import keep_freed_memory
from workers.engine.device.gate import DeviceGate
from workers.engine.device.tf32 import forbid_tf32
from workers.jobs.admission import Admission
from workers.jobs.reporter import Reporter
from workers.jobs.running import JobRunner
from workers.jobs.settling import Settling
from workers.jobs.tuning import (
    CLAIM_BLOCK_MS,
    CLAIM_BLOCK_PARTIAL_MS,
    CLAIM_RETRY_S,
    COALESCE_WAIT_S,
    MAX_ATTEMPTS,
    THREAD_SWITCH_S,
)
from workers.methods.captum_changes import install as install_captum_changes
from workers.models.pool import CommandExecutor, ModelPool
from workers.models.resident import Device
from workers.settings import WorkerSettings

log = structlog.get_logger()


def run(settings: WorkerSettings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code, 1 when a thread of the worker has died."""
    stop = _stop_at_signals()
    device = _configured_device(settings)
    queue = _job_store(settings)
    models = ModelPool(settings.models, device, settings.model_memory)
    commands = CommandExecutor(queue, models, stop)
    models.start(commands.read_unloaded())
    runner = JobRunner(models, Admission(models, settings.live_jobs()), Settling(queue.claimed_jobs))
    reporter = Reporter(
        queue,
        runner,
        models,
        commands,
        device=str(device.device),
        worker_id=settings.worker_id,
        lease_ms=settings.lease_ms,
    )
    listener = threading.Thread(target=queue.listen_cancelled, args=(runner.cancel, stop), daemon=True)
    for thread in (listener, commands, reporter):
        thread.start()
    log.info(
        "worker ready", worker=settings.worker_id, device=str(device.device), models=list(map(str, models.serving()))
    )
    try:
        healthy = _claim_until(stop, queue, runner, models, lambda: models.alive and commands.is_alive())
    finally:
        stop.set()
        runner.stop(settings.grace_s)
        reporter.end()
        _retire(queue)
        models.stop()
        for thread in (listener, commands):
            thread.join()
        queue.close()
    return 0 if healthy else 1


def _stop_at_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    return stop


def _configured_device(settings: WorkerSettings) -> Device:
    """The device of this worker, after the settings that hold for the whole process."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    sys.setswitchinterval(THREAD_SWITCH_S)
    gc.freeze()  # imported objects live for ever; without this each full collection walks through torch for 0.1 s
    forbid_tf32()
    install_captum_changes()
    device = Device(settings.torch_device(), settings.threads, settings.batch_rows, DeviceGate())
    if device.device.type == "cpu":
        keep_freed_memory()
    return device


def _job_store(settings: WorkerSettings) -> WorkerQueue:
    return WorkerQueue(
        settings.store_url,
        settings.worker_id,
        namespace=settings.namespace,
        lease_ms=settings.lease_ms,
        result_ttl_s=settings.result_ttl_s,
        max_attempts=MAX_ATTEMPTS,
    )


def _claim_until(
    stop: threading.Event, queue: WorkerQueue, runner: JobRunner, models: ModelPool, is_healthy: Callable[[], bool]
) -> bool:
    """The claim loop: claims as many jobs as there is capacity for, and starts them, until `stop` is set.

    Returns False when a thread that it depends on has died: the process must be replaced.
    """
    admission = runner.admission
    while not stop.is_set():
        if not is_healthy():
            log.error("an engine, the loader or the executor of admin commands has died")
            return False
        capacity = admission.capacity()
        if not capacity:
            admission.wait_for_capacity(CLAIM_BLOCK_MS / 1e3)
            continue
        block_ms = CLAIM_BLOCK_MS if len(capacity) == len(models.serving()) else CLAIM_BLOCK_PARTIAL_MS
        try:
            for claim in queue.claims.take(capacity, block_ms, last_attempts=admission.last_attempts()):
                runner.start(claim)
        except Unavailable:
            log.warning("job store is away")
            stop.wait(CLAIM_RETRY_S)
        else:
            admission.wait_for_groups(COALESCE_WAIT_S)  # jobs that come meanwhile are claimed at once
    return True


def _retire(queue: WorkerQueue) -> None:
    try:
        queue.registration.retire()
    except Unavailable:
        log.warning("job store is away", action="retire")
