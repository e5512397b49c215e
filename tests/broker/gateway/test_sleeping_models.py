"""Models outlive their workers: what the registry says of them while none of their workers lives."""

import pytest
import redis

from broker import JobStore
from broker.card_names import CardName, CardRegistry, best_card
from broker.group_names import GroupNames
from broker.tuning import CARD_TTL_MS, LEFT_GROUP_MS, OTHER_CARD_TTL_MS
from schemas.model_key import ModelKey
from tests.broker.conftest import MakeQueue
from tests.broker.gateway.test_models import card, worker

pytestmark = pytest.mark.anyio
M = ModelKey("m", "1")
NOW = 1_000_000_000


async def test_a_model_sleeps_when_its_last_worker_has_left(store: JobStore, make_queue: MakeQueue) -> None:
    one, other = make_queue("a"), make_queue("b")
    known = card("m", "1", digest="sha256:1", start_s=3.5)
    for queue, name in ((one, "a"), (other, "b")):
        queue.registration.announce(worker(name), [known])
    one.registration.retire()
    assert await store.models.cards() == [known]
    other.registration.retire()
    asleep = known.model_copy(update={"status": "asleep"})
    assert await store.models.cards() == [asleep]
    assert await store.models.card("m") == asleep
    make_queue("c").registration.announce(worker("c"), [card("m", "1", "idle", digest="sha256:2")])
    assert (await store.models.card("m")).digest == "sha256:2"
    assert [one.status for one in await store.models.cards()] == ["idle"]


async def test_cards_are_kept_for_days_and_the_others_for_a_minute(
    store: JobStore, make_queue: MakeQueue, raw: redis.Redis, namespace: str
) -> None:
    make_queue().registration.announce(worker("w"), [card("m", "1"), card("n", "1", "loading"), card("o", "1", "idle")])
    kept = {name: raw.pttl(f"{namespace}:card:{name}") for name in ("ready m@1", "idle o@1", "loading n@1")}
    assert all(CARD_TTL_MS - 60_000 < kept[name] <= CARD_TTL_MS for name in ("ready m@1", "idle o@1"))
    assert 0 < kept["loading n@1"] <= OTHER_CARD_TTL_MS
    raw.delete(f"{namespace}:servers:ready m@1")  # as if its worker had died
    assert [(one.name, one.status) for one in await store.models.cards()] == [
        ("m", "asleep"),
        ("n", "loading"),
        ("o", "idle"),
    ]


async def test_a_worker_that_loads_a_sleeping_model_does_not_close_it(store: JobStore, make_queue: MakeQueue) -> None:
    first = make_queue("a")
    first.registration.announce(worker("a"), [card("m", "1")])
    first.registration.retire()
    make_queue("b").registration.announce(worker("b"), [card("m", "1", "loading")])
    assert (await store.models.card("m")).status == "asleep"


async def test_a_model_that_its_only_group_cannot_load_has_failed(store: JobStore, make_queue: MakeQueue) -> None:
    only = make_queue("a")
    only.registration.announce(worker("a"), [card("m", "1")])
    failed = card("m", "1", "failed", error="no weights")
    only.registration.announce(worker("a"), [failed])
    assert await store.models.card("m") == failed


async def test_a_model_that_another_group_holds_sleeps_on_when_one_cannot_load_it(
    store: JobStore, make_queue: MakeQueue
) -> None:
    gpu = make_queue("gpu")
    gpu.registration.announce(worker("gpu").model_copy(update={"group": "gpu"}), [card("m", "1")])
    gpu.registration.retire()
    cpu = worker("cpu").model_copy(update={"group": "cpu"})
    make_queue("cpu").registration.announce(cpu, [card("m", "1", "failed", error="no weights")])
    assert (await store.models.card("m")).status == "asleep"
    registry = await store.models.registry()
    assert registry.groups.of_model(M) == ("gpu",)


async def test_an_unloaded_model_stays_unloaded_without_workers(store: JobStore, make_queue: MakeQueue) -> None:
    queue = make_queue("a")
    queue.registration.announce(worker("a"), [card("m", "1")])
    await store.admin_commands.unload("m", ["1"])
    queue.registration.announce(worker("a"), [card("m", "1", "unloaded")])
    queue.registration.retire()
    assert (await store.models.card("m")).status == "unloaded"
    await store.admin_commands.load("m")
    assert (await store.models.card("m")).status == "asleep"


@pytest.mark.parametrize(
    ("served", "expected", "asleep"),
    [
        (["idle m@1"], "idle m@1", False),
        (["idle m@1", "ready m@1"], "ready m@1", False),
        ([], "idle m@1", True),
    ],
)
def test_of_two_cards_the_one_of_a_live_worker_counts_and_else_the_later(
    served: list[str], expected: str, asleep: bool
) -> None:
    cards = {"ready m@1": NOW - 1, "idle m@1": NOW}
    (name,) = CardRegistry(cards, GroupNames.of({}), frozenset(), frozenset(served)).names()
    assert (str(name), name.asleep) == (expected, asleep)


def test_a_model_in_two_groups_belongs_to_both_asleep_or_not() -> None:
    groups = GroupNames.of({"cpu": NOW, "cpu m@1": NOW, "gpu": NOW - 10**6, "gpu m@1": NOW - 10**6})
    assert groups.of_model(M) == ("cpu", "gpu")


def test_a_group_that_goes_on_without_a_model_has_left_it() -> None:
    members = {"cpu": NOW, "cpu n@1": NOW, "cpu m@1": NOW - LEFT_GROUP_MS, "damaged @": NOW}
    groups = GroupNames.of(members)
    assert not groups.hold(M)
    assert groups.of_model(M) == ("cpu",), "its jobs are still told somewhere"
    assert groups.of_model(ModelKey("never", "1")) == ("default",)
    assert GroupNames.of(members | {"cpu m@1": NOW - LEFT_GROUP_MS + 1}).hold(M)


@pytest.mark.parametrize(("left", "expected"), [(False, "2"), (True, "1")])
def test_a_version_that_was_taken_back_is_not_the_default(left: bool, expected: str) -> None:
    names = [
        CardName("ready", ModelKey("m", "1")),
        CardName("ready", ModelKey("m", "2"), asleep=True, left=left),
        CardName("failed", ModelKey("m", "3")),
    ]
    chosen = best_card(names, "m", None)
    assert chosen is not None
    assert chosen.model.version == expected
    named = best_card(names, "m", "2")
    assert named is not None
    assert named.is_serving


async def test_a_model_that_its_worker_does_not_know_any_more_is_withdrawn(
    store: JobStore, make_queue: MakeQueue
) -> None:
    queue = make_queue()
    queue.registration.announce(worker("w"), [card("m", "1"), card("n", "1")])
    queue.registration.announce(worker("w"), [card("n", "1")])
    assert [one.name for one in await store.models.cards()] == ["n"]
