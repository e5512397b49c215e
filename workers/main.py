"""A worker process: loads its models, then claims and runs jobs until a signal stops it."""

import gc
import sys
import threading
import time
import warnings

import structlog

from broker import WorkerQueue
from schemas.errors import Unavailable
from schemas.model_key import ModelKey
from schemas.telemetry.spans import Tracer
from workers.engine.device.allocator import keep_freed_memory
from workers.engine.device.blas import use_one_thread_beside_torch
from workers.engine.device.gate import DeviceGate
from workers.engine.device.pass_device import PassDevice
from workers.engine.device.tf32 import forbid_tf32
from workers.engine.error_trace import without_data
from workers.jobs.admission import Admission
from workers.jobs.ahead import AheadMeter
from workers.jobs.background import BackgroundThreads, log_deaths
from workers.jobs.ending import EXIT_STALLED, EXIT_THREAD_DIED, end_process, exit_after, exit_now
from workers.jobs.reporter import Reporter
from workers.jobs.running import JobRunner
from workers.jobs.settling import Settling
from workers.jobs.stop_signals import StopSignals
from workers.jobs.tuning import (
    CLAIM_BLOCK_MS,
    CLAIM_BLOCK_PARTIAL_MS,
    CLAIM_RETRY_S,
    COALESCE_WAIT_S,
    FULL_WAIT_S,
    MAX_ATTEMPTS,
    STOP_PROCESS_S,
    THREAD_SWITCH_S,
)
from workers.jobs.watchdog import Watchdog
from workers.methods.captum_changes import install as install_captum_changes
from workers.models.measurements.cache import MeasurementCache
from workers.models.pool import CommandExecutor, ModelPool
from workers.models.resident import Device
from workers.monitors.keeper import MonitorKeeper
from workers.repository.folders import check_names
from workers.settings import WorkerSettings

log = structlog.get_logger()


def run(
    settings: WorkerSettings,
    tracer: Tracer | None = None,
    passes: PassDevice | None = None,
    began_s: float | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. With a tracer, jobs and passes are spans; it is closed.

    A stop lets running jobs end for the grace of the settings, and hands the others back to the queue at the same
    attempt. The process ends with `EXIT_THREAD_DIED` when a thread of the worker dies, and with `EXIT_STALLED` when a
    job hangs that nothing else can stop; it is then to be replaced.

    Args:
        tracer: None: nothing is traced.
        passes: what computes the passes; None: the device of the settings.
        began_s: when the process began, by the monotonic clock; None: it is not known.

    Raises:
        UnknownModels: the repository lacks a model that the settings name.
    """
    log_deaths()
    signals = StopSignals()
    signals.install()
    stop = signals.stop
    check_names(settings.models, settings.serve)
    device = _configured_device(settings, tracer, passes)
    queue = _job_store(settings)
    prepared_s = None if began_s is None else time.monotonic() - began_s
    models = ModelPool(settings.models, device, settings.model_memory, settings.serve, prepared_s)
    commands = CommandExecutor(queue, models, stop)
    unloaded = commands.read_unloaded()
    models.start(unloaded, first=_urgent_models(queue, settings.replaces))
    signals.serving()
    runner = JobRunner(models, Admission(models, settings.live_jobs()), Settling(queue.claimed_jobs), tracer)
    reporter = Reporter(
        queue,
        runner,
        models,
        commands,
        device=device,
        worker_id=settings.worker_id,
        group=settings.group,
        lease_ms=settings.lease_ms,
    )
    watchdog = Watchdog(runner, queue.claimed_jobs, settings.stall_s, lambda: end_process(queue, runner, EXIT_STALLED))
    keeper = MonitorKeeper(queue.monitors, runner.settling.watching)
    listener = _listener(queue, runner, stop)
    threads = {"listener": listener, "admin commands": commands, "reporter": reporter, "watchdog": watchdog}
    background = BackgroundThreads(models, {**threads, "monitors": keeper})
    background.start()
    log.info(
        "worker ready",
        worker=settings.worker_id,
        group=settings.group,
        device=str(device.device),
        models=list(map(str, models.serving())),
    )
    try:
        healthy = _claim_until(stop, queue, runner, models, background)
    except Exception as error:
        log.critical("the claim loop died", exception=without_data(error))
        healthy = False
    if not healthy:
        end_process(queue, runner, EXIT_THREAD_DIED)
    log.info("worker stopping", worker=settings.worker_id, jobs=len(runner.active()), grace_s=settings.grace_s)
    _leave(queue, models)
    if not runner.stop(settings.grace_s, signals.hurry):
        end_process(queue, runner, 0)
    watchdog.end()
    reporter.end()
    keeper.end()
    _retire(queue)
    exit_after(STOP_PROCESS_S)  # a pass may hang, and the engine's thread with it
    has_stopped = models.stop()
    _close([listener, commands], queue, tracer)
    if not has_stopped:  # a load is in progress, which Python would wait for
        exit_now(0)
    return 0


def _listener(queue: WorkerQueue, runner: JobRunner, stop: threading.Event) -> threading.Thread:
    """The thread that hears of cancelled jobs."""
    arguments = (runner.cancel, stop)
    return threading.Thread(name="cancellations", target=queue.listen_cancelled, args=arguments, daemon=True)


def _urgent_models(queue: WorkerQueue, replaced: str | None) -> list[ModelKey]:
    """The models that have jobs waiting, after those of the replaced worker were given back."""
    try:
        if replaced is not None:
            given_back = queue.registration.inherit(replaced)
            log.info("worker replaced", replaced=replaced, given_back=given_back)
        return queue.waiting_jobs.models()
    except Unavailable:
        log.warning("job store is away", action="look for waiting jobs")
        return []


def _configured_device(settings: WorkerSettings, tracer: Tracer | None, passes: PassDevice | None) -> Device:
    """The device of this worker, after the settings that hold for the whole process."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    sys.setswitchinterval(THREAD_SWITCH_S)
    gc.freeze()  # imported objects live for ever; without this each full collection walks through torch for 0.1 s
    forbid_tf32()
    use_one_thread_beside_torch()
    install_captum_changes()
    measurements = None if settings.measurements is None else MeasurementCache(settings.measurements)
    device = Device(
        settings.torch_device(),
        settings.threads,
        settings.batch_rows,
        DeviceGate(passes),
        measurements=measurements,
        tracer=tracer,
        processes=settings.workers_per_device,
    )
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
    stop: threading.Event, queue: WorkerQueue, runner: JobRunner, models: ModelPool, background: BackgroundThreads
) -> bool:
    """The claim loop: claims as many jobs as there is capacity for, and starts them, until `stop` is set.

    Returns False when a thread that it depends on has died: the process must be replaced.
    """
    admission = runner.admission
    ahead = AheadMeter(models, admission)
    while not stop.is_set():
        if dead := background.dead():
            log.critical("threads of the worker have died", threads=dead)
            return False
        capacity = admission.capacity()
        if not capacity:
            _tell(queue, models, ahead)
            admission.wait_for_capacity(FULL_WAIT_S)
            continue
        for_batch = admission.for_batch()
        is_partial = len(capacity) < len(models.serving()) or not all(for_batch.values())
        block_ms = CLAIM_BLOCK_PARTIAL_MS if is_partial else CLAIM_BLOCK_MS
        try:
            is_idle = not admission.active()
            claims = queue.claims.take(
                capacity, block_ms, admission.last_attempts(), for_batch, stop, is_idle=is_idle, ahead=ahead
            )
            if stop.is_set():
                runner.decline(claims)
                break
            for claim in claims:
                runner.start(claim)
        except Unavailable:
            log.warning("job store is away")
            stop.wait(CLAIM_RETRY_S)
        else:
            admission.wait_for_groups(COALESCE_WAIT_S)  # jobs that come meanwhile are claimed at once
    return True


def _close(threads: list[threading.Thread], queue: WorkerQueue, tracer: Tracer | None) -> None:
    for thread in threads:
        thread.join()
    queue.close()
    if tracer is not None:
        tracer.close()


def _tell(queue: WorkerQueue, models: ModelPool, ahead: AheadMeter) -> None:
    """Other workers leave jobs to this one where it will have capacity in time to end them sooner."""
    try:
        queue.claims.tell(models.serving(), ahead)
    except Unavailable:
        log.warning("job store is away", action="tell")


def _leave(queue: WorkerQueue, models: ModelPool) -> None:
    """Other workers need not leave jobs to this one any more."""
    try:
        queue.claims.leave(models.serving())
    except Unavailable:
        log.warning("job store is away", action="leave")


def _retire(queue: WorkerQueue) -> None:
    try:
        queue.registration.retire()
    except Unavailable:
        log.warning("job store is away", action="retire")
