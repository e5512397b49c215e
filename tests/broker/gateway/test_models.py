"""Who is there, and which models they hold."""

import pytest
import redis

from broker import JobStore, WorkerInfo
from broker.card_names import version_order
from broker.tuning import CARD_TTL_MS
from schemas.errors import ModelNotFound
from schemas.models import ModelCard
from schemas.statistics import JobCounters, ModelCounters, WorkerStatistics
from tests.broker.conftest import MakeQueue
from tests.broker.helpers import QUEUE

pytestmark = pytest.mark.anyio


def worker(worker_id: str) -> WorkerInfo:
    model = QUEUE
    counters = ModelCounters(jobs=JobCounters(jobs_total=12, job_wait_seconds_total=0.5))
    return WorkerInfo(
        id=worker_id,
        device="cpu",
        host="h",
        pid=7,
        started_ms=1,
        models=[model],
        statistics=WorkerStatistics(models={model: counters}),
    )


def card(name: str, version: str, status: str = "ready", **fields: object) -> ModelCard:
    return ModelCard.model_validate({"name": name, "version": version, "status": status, **fields})


async def test_announced_workers_and_models_are_seen_until_they_expire(
    store: JobStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    cards = [
        card("squarer", "1", description={"es": "eleva al cuadrado"}),
        card("broken", "1", "failed", error="no file"),
    ]
    for name in ("b", "a"):
        make_queue(name).registration.announce(worker(name), cards)
    assert await store.workers.live() == [worker("a"), worker("b")]
    assert await store.models.cards() == [cards[1], cards[0]]
    for key in raw.scan_iter(f"{namespace}:*"):
        kept_ms = CARD_TTL_MS if ":card" in key or key.endswith(":groups") else 10_000
        assert 0 < raw.pttl(key) <= kept_ms

    make_queue("a").registration.retire()
    assert await store.workers.live() == [worker("b")]
    raw.delete(f"{namespace}:worker:b", f"{namespace}:card:ready squarer@1")  # as if their TTL had passed
    assert await store.workers.live() == []
    with pytest.raises(ModelNotFound):
        await store.models.card("squarer")


async def test_the_highest_ready_version_answers(store: JobStore, make_queue: MakeQueue) -> None:
    with pytest.raises(ModelNotFound):
        await store.models.card("squarer")
    cards = [card("squarer", version) for version in ("9", "10", "2")]
    failed = card("squarer", "11", "failed", error="out of memory")
    make_queue().registration.announce(worker("w"), [*cards, failed, card("squarer-x", "99")])
    assert await store.models.card("squarer") == cards[1]
    assert await store.models.card("squarer", "2") == cards[2]
    assert await store.models.card("squarer", "11") == failed
    for name, version in (("squarer", "3"), ("square", None)):
        with pytest.raises(ModelNotFound):
            await store.models.card(name, version)


async def test_a_worker_that_failed_to_load_does_not_hide_the_others(store: JobStore, make_queue: MakeQueue) -> None:
    ready, failed = card("squarer", "1"), card("squarer", "1", "failed", error="out of memory")
    make_queue("a").registration.announce(worker("a"), [ready])
    make_queue("b").registration.announce(worker("b"), [failed])
    assert await store.models.cards() == [ready]
    assert await store.models.card("squarer") == ready


async def test_a_model_that_nobody_could_load_is_shown_as_failed(store: JobStore, make_queue: MakeQueue) -> None:
    failed = card("squarer", "1", "failed", error="no weights")
    make_queue().registration.announce(worker("w"), [failed])
    assert await store.models.card("squarer") == failed


def test_versions_sort_as_people_count() -> None:
    versions = ["1", "1.2", "1.10", "2", "10", "10.1"]
    assert sorted(["10", "1.10", "2", "10.1", "1", "1.2"], key=version_order) == versions
