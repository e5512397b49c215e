"""A worker process: loads its models, then claims and runs jobs until it is told to stop."""

import gc
import signal
import sys
import threading
import warnings

import structlog

from broker import WorkerQueue
from schemas.errors import Unavailable
from workers.engine.allocator import keep_freed_memory
from workers.engine.gate import DeviceGate
from workers.engine.precision import forbid_tf32
from workers.jobs.reporter import Reporter
from workers.jobs.runner import MAX_ATTEMPTS, JobRunner
from workers.methods.captum_changes import install as install_captum_changes
from workers.models.load import Device
from workers.models.pool import ModelPool, OrderFollower
from workers.settings import WorkerSettings

log = structlog.get_logger()
CLAIM_BLOCK_MS = 1_000
ROOM_BLOCK_MS = 50  # while a model has no room: it may have some before another model's job comes
GATHER_S = 0.01  # between two claims while jobs run together: each claim has its price, and their end waits for it
SWITCH_S = 0.0005  # a thread that has its answer waits so long for one that computes in Python, not the usual 5 ms
RETRY_S = 0.5


def run(settings: WorkerSettings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # what is imported stays: else each full collection walks through torch, a tenth of a second
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    forbid_tf32()
    install_captum_changes()
    device = Device(settings.torch_device(), settings.threads, settings.batch_rows, DeviceGate())
    if device.device.type == "cpu":
        keep_freed_memory()
    queue = WorkerQueue(
        settings.redis_url,
        settings.worker_id,
        namespace=settings.namespace,
        lease_ms=settings.lease_ms,
        result_ttl_s=settings.result_ttl_s,
        max_attempts=MAX_ATTEMPTS,
    )
    models = ModelPool(settings.models, device, settings.model_memory)
    orders = OrderFollower(queue, models, stop)
    models.start(orders.look())
    runner = JobRunner(queue, models, max_live=settings.live_jobs())
    reporter = Reporter(
        queue,
        runner,
        models,
        orders,
        device=str(device.device),
        worker_id=settings.worker_id,
        lease_ms=settings.lease_ms,
    )
    listener = threading.Thread(target=queue.listen_cancelled, args=(runner.cancel, stop), daemon=True)
    for thread in (listener, orders, reporter):
        thread.start()
    log.info("worker ready", worker=settings.worker_id, device=str(device.device), models=models.serving())
    try:
        healthy = _claim_until(stop, queue, runner, models, orders)
    finally:
        stop.set()
        runner.stop(settings.grace_s)
        reporter.end()
        _retire(queue)
        models.stop()
        for thread in (listener, orders):
            thread.join()
        queue.close()
    return 0 if healthy else 1


def _claim_until(
    stop: threading.Event, queue: WorkerQueue, runner: JobRunner, models: ModelPool, orders: OrderFollower
) -> bool:
    """The claim loop. False when a thread that it counts on has died: the process must be replaced."""
    while not stop.is_set():
        if not (models.alive and orders.is_alive()):
            log.error("an engine, the loader or the follower of orders has died")
            return False
        room = runner.room()
        if not room:
            runner.wait_for_room(CLAIM_BLOCK_MS / 1e3)
            continue
        block_ms = CLAIM_BLOCK_MS if len(room) == len(models.serving()) else ROOM_BLOCK_MS
        try:
            for claim in queue.claim(room, block_ms, last_attempts=runner.last_attempts()):
                runner.start(claim)
            runner.gather(GATHER_S)
        except Unavailable:
            log.warning("job store is away")
            stop.wait(RETRY_S)
    return True


def _retire(queue: WorkerQueue) -> None:
    try:
        queue.retire()
    except Unavailable:
        log.warning("job store is away", action="retire")
