"""A worker process: loads its models, then claims and runs jobs until it is told to stop."""

import signal
import threading
import warnings
from collections.abc import Iterable

import structlog

from broker import WorkerQueue
from schemas.errors import Unavailable
from schemas.models import ModelCard
from workers.card import failed_card
from workers.engine.allocator import keep_freed_memory
from workers.engine.gate import DeviceGate
from workers.reporter import Reporter
from workers.resident import Device, ResidentModel, load_all
from workers.runner import MAX_ATTEMPTS, JobRunner
from workers.settings import WorkerSettings

log = structlog.get_logger()
CLAIM_BLOCK_MS = 1_000
CLAIM_AT_ONCE = 8  # so that one worker does not hoard what others could start
RETRY_S = 0.5


def run(settings: WorkerSettings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    device = Device(settings.torch_device(), settings.threads, settings.rows(), DeviceGate())
    if device.device.type == "cpu":
        keep_freed_memory()
    models, failed = _sort(load_all(settings.models, device))
    queue = WorkerQueue(
        settings.redis_url,
        settings.worker_id,
        namespace=settings.namespace,
        lease_ms=settings.lease_ms,
        result_ttl_s=settings.result_ttl_s,
        max_attempts=MAX_ATTEMPTS,
    )
    runner = JobRunner(queue, models, max_live=max(16, 2 * device.batch_rows))
    reporter = Reporter(
        queue,
        runner,
        models,
        failed,
        device=str(device.device),
        worker_id=settings.worker_id,
        lease_ms=settings.lease_ms,
    )
    for model in models.values():
        model.engine.start()
    listener = threading.Thread(target=queue.listen_cancelled, args=(runner.cancel, stop), daemon=True)
    listener.start()
    reporter.start()
    log.info("worker ready", worker=settings.worker_id, device=str(device.device), models=list(models))
    try:
        healthy = _claim_until(stop, queue, runner, models)
    finally:
        stop.set()
        runner.stop(settings.grace_s)
        reporter.end()
        _retire(queue)
        for model in models.values():
            model.engine.stop()
        listener.join()
        queue.close()
    return 0 if healthy else 1


def _sort(loaded: Iterable[ResidentModel | ModelCard]) -> tuple[dict[str, ResidentModel], list[ModelCard]]:
    """Models that are ready by `name@version`, and the cards of those that are not; a second of a name is refused."""
    models: dict[str, ResidentModel] = {}
    failed: list[ModelCard] = []
    for item in loaded:
        if isinstance(item, ModelCard):
            failed.append(item)
        elif item.key in models:
            log.error("model refused", model=item.key, reason="another folder has this name and version")
            failed.append(failed_card(item.card.name, f"{item.card.version}.duplicate", "another folder has this name"))
        else:
            models[item.key] = item
    return models, failed


def _claim_until(
    stop: threading.Event, queue: WorkerQueue, runner: JobRunner, models: dict[str, ResidentModel]
) -> bool:
    """The claim loop. False when an engine has died: the process must be replaced."""
    while not stop.is_set():
        if not all(model.engine.alive for model in models.values()):
            log.error("an engine has died")
            return False
        room = {key: min(count, CLAIM_AT_ONCE) for key, count in runner.room().items()}
        if not room:
            runner.wait_for_room(CLAIM_BLOCK_MS / 1e3)
            continue
        try:
            for claim in queue.claim(room, CLAIM_BLOCK_MS, last_attempts=runner.last_attempts()):
                runner.start(claim)
        except Unavailable:
            log.warning("job store is away")
            stop.wait(RETRY_S)
    return True


def _retire(queue: WorkerQueue) -> None:
    try:
        queue.retire()
    except Unavailable:
        log.warning("job store is away", action="retire")
