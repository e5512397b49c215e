"""Whether requests can be accepted, and when the job of a model that sleeps starts."""

from collections.abc import Iterable

import structlog

from broker import JobRecord, Store, WorkerInfo
from schemas.errors import Unavailable
from schemas.model_key import ModelKey
from schemas.models import ModelCard
from service.tuning import NO_WORKER_RETRY_S

log = structlog.get_logger(__name__)


async def live_workers(store: Store) -> list[WorkerInfo]:
    """The workers that live. There may be none where models sleep: requests for them are accepted all the same.

    Raises:
        StoreUnavailable: the job store does not answer.
        Unavailable: there is no worker, and no model that could sleep.
    """
    await store.ping()
    workers = await store.workers.live()
    if not workers and not any(name.is_serving for name in await store.models.names()):
        raise Unavailable("no live worker; start one", retry_after_s=NO_WORKER_RETRY_S)
    return workers


def loading_models(workers: Iterable[WorkerInfo]) -> int:
    """How many models are being loaded by these workers, while none of them takes jobs for the model."""
    status = [(model, here.status) for worker in workers for model, here in worker.residence.items()]
    serving = {model for model, found in status if found in {"ready", "idle"}}
    return len({model for model, found in status if found == "loading"} - serving)


async def starts_in_s(store: Store, card: ModelCard, record: JobRecord, waited_s: float = 0.0) -> float | None:
    """Seconds until a queued job of a sleeping model starts, as far as can be told.

    The sum of how long a worker of this model last took to start, and of what one worker needs for the jobs that are
    queued besides this one; of several groups, at the fastest one. How soon a worker is started is not known here.

    Args:
        waited_s: that have passed since the job was queued.

    Returns:
        None where the model is awake, the job is not queued, or no start was ever measured.
    """
    if card.status != "asleep" or card.start_s is None or record.status != "queued":
        return None
    try:
        backlogs = await store.reports.backlog(ModelKey(card.name, card.version))
    except Unavailable:  # the job is queued: its client must not hear that it is not
        log.warning("start_time_unknown", model=card.name)
        return None
    ahead_s = min(one.seconds - record.total / one.pace.rows_per_s for one in backlogs)
    return round(max(0.0, card.start_s + max(0.0, ahead_s) - waited_s), 1)
