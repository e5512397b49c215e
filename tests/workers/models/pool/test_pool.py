"""Models come and go while jobs run: loaded, replaced, evicted, unloaded, and really gone."""

import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from schemas.errors import JobCancelled, JobError, JobFailed, UnloadedMeanwhile
from schemas.model_key import ModelKey
from tests.workers.models.sized_models import ENTERED, KIB, OPEN, break_model, write_model
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.engine.task import Task
from workers.models.measurements.cache import MeasurementCache
from workers.models.pool import ModelPool
from workers.models.resident import Device

TIMEOUT_S = 60
MakePool = Callable[..., ModelPool]


class UsingJob(threading.Thread):
    """Holds a model until it is let go; `got` once it has it, or once it was refused."""

    def __init__(self, pool: ModelPool, key: str) -> None:
        super().__init__(daemon=True)
        self.pool, self.key = pool, key
        self.task = Task(key)
        self.got, self.let_go = threading.Event(), threading.Event()
        self.error: JobError | None = None
        self.factor = 0.0
        self.start()

    def run(self) -> None:
        try:
            with self.pool.use(self.key, self.task) as model:
                self.factor = float(model.engine.view.module(torch.ones(1, 4))[0, 0])
                self.got.set()
                self.let_go.wait(TIMEOUT_S)
        except JobError as error:
            self.error = error
            self.got.set()

    def holds(self) -> "UsingJob":
        assert self.got.wait(TIMEOUT_S), "the job waits for ever"
        assert self.error is None, self.error
        return self

    def end(self) -> None:
        self.let_go.set()
        self.join(TIMEOUT_S)
        assert not self.is_alive()


@pytest.fixture(scope="module")
def measurements(tmp_path_factory: pytest.TempPathFactory) -> MeasurementCache:
    """Each model is measured once: no test here is about measuring."""
    return MeasurementCache(tmp_path_factory.mktemp("measurements"))


@pytest.fixture
def make_pool(tmp_path: Path, measurements: MeasurementCache) -> Iterator[MakePool]:
    pools: list[ModelPool] = []

    def make(capacity_kib: int | None = None, **start: object) -> ModelPool:
        capacity = None if capacity_kib is None else capacity_kib * KIB
        pool = ModelPool([tmp_path], Device(CPU, 1, 8, DeviceGate(), measurements=measurements), capacity)
        pools.append(pool)
        pool.start(**start)  # type: ignore[arg-type]
        return pool

    yield make
    for gate in OPEN.values():
        gate.set()
    for pool in pools:
        pool.stop()
    OPEN.clear()
    ENTERED.clear()


def states(pool: ModelPool) -> dict[str, str]:
    return {ModelKey(card.name, card.version): card.status for card in pool.cards()}


def until(pool: ModelPool, wanted: Callable[[], bool]) -> None:
    with pool._changed:
        assert pool._changed.wait_for(wanted, TIMEOUT_S), states(pool)


def use_once(pool: ModelPool, key: str) -> float:
    job = UsingJob(pool, key).holds()
    job.end()
    return job.factor


def test_versions_side_by_side_and_one_that_fails(make_pool: MakePool, tmp_path: Path) -> None:
    for version, factor in (("2", 2.0), ("10", 10.0)):
        write_model(tmp_path, "m", version, factor=factor)
    break_model(write_model(tmp_path, "m", "11"))
    pool = make_pool()
    assert states(pool) == {ModelKey("m", "10"): "ready", ModelKey("m", "2"): "ready", ModelKey("m", "11"): "failed"}
    assert pool.claimable(16) == {ModelKey("m", "10"): 16, ModelKey("m", "2"): 16}
    assert [use_once(pool, ModelKey("m", "2")), use_once(pool, ModelKey("m", "10"))] == [2.0, 10.0]
    job = UsingJob(pool, ModelKey("m", "11"))
    job.join(TIMEOUT_S)
    assert isinstance(job.error, JobFailed)


def test_the_second_folder_of_a_version_is_refused(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path / "a", "m")
    (tmp_path / "a" / "m-1").rename(tmp_path / "one")
    write_model(tmp_path, "m", "1")
    (tmp_path / "m-1").rename(tmp_path / "two")
    assert states(make_pool()) == {ModelKey("m", "1"): "ready", ModelKey("m", "1.duplicate"): "failed"}


def test_a_version_found_later_loads_while_a_job_runs(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "m", "1")
    pool = make_pool()
    job = UsingJob(pool, ModelKey("m", "1")).holds()
    OPEN["m"].clear()
    write_model(tmp_path, "m", "2", factor=2.0)
    ENTERED["m"].clear()
    assert pool.load("m", None) == [ModelKey("m", "1"), ModelKey("m", "2")]
    assert ENTERED["m"].wait(TIMEOUT_S)
    assert states(pool)[ModelKey("m", "2")] == "loading"
    assert not pool.settled([ModelKey("m", "2")])
    assert use_once(pool, ModelKey("m", "1")) == 1.0  # meanwhile
    OPEN["m"].set()
    until(pool, lambda: pool.settled([ModelKey("m", "1"), ModelKey("m", "2")]))
    assert use_once(pool, ModelKey("m", "2")) == 2.0
    assert pool.residence("w")[ModelKey("m", "1")].loads == 1, "nothing had changed in its folder"
    job.end()
    assert pool.load("n", None) == []


def test_new_weights_are_swapped_in_and_running_jobs_keep_the_old(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "m", factor=1.0)
    pool = make_pool()
    digest = pool.cards()[0].digest
    old = UsingJob(pool, ModelKey("m", "1")).holds()
    write_model(tmp_path, "m", factor=3.0)
    pool.load("m", "1")
    until(pool, lambda: pool.residence("w")[ModelKey("m", "1")].loads == 2)
    assert use_once(pool, ModelKey("m", "1")) == 3.0
    assert pool.cards()[0].digest != digest
    with pool.use(ModelKey("m", "1"), Task("x")) as model:
        assert model.engine.alive
    assert not pool.settled([ModelKey("m", "1")]), "the old one still has a job"
    old.end()
    assert old.factor == 1.0
    assert pool.settled([ModelKey("m", "1")])


def test_what_does_not_load_leaves_the_old_one_in_service(make_pool: MakePool, tmp_path: Path) -> None:
    folder = write_model(tmp_path, "m")
    pool = make_pool()
    break_model(folder)
    pool.load("m", None)
    until(pool, lambda: pool.settled([ModelKey("m", "1")]))
    assert states(pool) == {ModelKey("m", "1"): "ready"}
    assert "no weights today" in (pool.residence("w")[ModelKey("m", "1")].error or "")
    assert use_once(pool, ModelKey("m", "1")) == 1.0


def test_unload_and_load_again(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "m")
    pool = make_pool()
    running = UsingJob(pool, ModelKey("m", "1")).holds()
    pool.unload([ModelKey("m", "1"), ModelKey("unheard", "1")])
    assert states(pool) == {ModelKey("m", "1"): "unloaded"}
    assert pool.claimable(16) == {}
    with pytest.raises(UnloadedMeanwhile), pool.use(ModelKey("m", "1"), Task("late")):
        pass
    assert not pool.settled([ModelKey("m", "1")])
    running.end()
    assert pool.settled([ModelKey("m", "1")])
    pool.load("m", None)
    until(pool, lambda: pool.settled([ModelKey("m", "1")]))
    assert states(pool) == {ModelKey("m", "1"): "ready"}
    assert use_once(pool, ModelKey("m", "1")) == 1.0


def test_a_model_unloaded_before_the_start_is_not_loaded(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "m")
    write_model(tmp_path, "n")
    pool = make_pool(unloaded=[ModelKey("m", "1")])
    assert states(pool) == {ModelKey("m", "1"): "unloaded", ModelKey("n", "1"): "ready"}
    assert not ENTERED["m"].is_set()


def test_unloaded_while_it_loads(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    OPEN["m"].clear()
    write_model(tmp_path, "m")
    pool.load("m", None)
    assert ENTERED["m"].wait(TIMEOUT_S)
    pool.unload([ModelKey("m", "1")])
    OPEN["m"].set()
    until(pool, lambda: pool.settled([ModelKey("m", "1")]))
    assert states(pool) == {ModelKey("m", "1"): "unloaded"}
    assert pool.resident() == {}


@pytest.mark.parametrize("leaving", ["unload", "evict", "swap"])
def test_nothing_holds_a_model_that_is_gone(make_pool: MakePool, tmp_path: Path, leaving: str) -> None:
    write_model(tmp_path, "a", kib=64)
    pool = make_pool(capacity_kib=150)
    write_model(tmp_path, "b", kib=128)
    with pool.use(ModelKey("a", "1"), Task("x")) as model:
        module = weakref.ref(model.engine.view.module)
        storage = weakref.ref(model.engine.view.module.weight.untyped_storage())
        engine = weakref.ref(model.engine)
        names = {thread.name for thread in threading.enumerate()}
        del model
    assert "engine-a" in names
    if leaving == "unload":
        pool.unload([ModelKey("a", "1")])
    elif leaving == "evict":
        pool.load("b", None)
        until(
            pool,
            lambda: (
                states(pool) == {ModelKey("a", "1"): "idle", ModelKey("b", "1"): "ready"}
                and pool.settled([ModelKey("b", "1")])
            ),
        )
    else:
        write_model(tmp_path, "a", kib=64, factor=2.0)
        pool.load("a", None)
        until(pool, lambda: pool.residence("w")[ModelKey("a", "1")].loads == 2 and pool.settled([ModelKey("a", "1")]))
    assert pool.settled([ModelKey("a", "1")])
    assert (module(), storage(), engine()) == (None, None, None)
    running = [thread.name for thread in threading.enumerate()].count("engine-a")
    assert running == (1 if leaving == "swap" else 0)


def test_the_model_used_least_recently_goes_and_comes_back(make_pool: MakePool, tmp_path: Path) -> None:
    for name in "abc":
        write_model(tmp_path, name, kib=100, factor=float(ord(name)))
    pool = make_pool(capacity_kib=250)
    assert states(pool) == {ModelKey("a", "1"): "idle", ModelKey("b", "1"): "ready", ModelKey("c", "1"): "ready"}
    assert pool.residence("w")[ModelKey("a", "1")].bytes == 100 * KIB
    assert pool.claimable(16) == {ModelKey("a", "1"): 1, ModelKey("b", "1"): 16, ModelKey("c", "1"): 16}
    assert use_once(pool, ModelKey("b", "1")) == ord("b")
    assert use_once(pool, ModelKey("a", "1")) == ord("a")  # c goes, which nobody has used
    assert states(pool) == {ModelKey("a", "1"): "ready", ModelKey("b", "1"): "ready", ModelKey("c", "1"): "idle"}
    assert use_once(pool, ModelKey("c", "1")) == ord("c")  # b goes
    assert states(pool) == {ModelKey("a", "1"): "ready", ModelKey("b", "1"): "idle", ModelKey("c", "1"): "ready"}
    after = pool.residence("w")
    assert {key: (one.loads, one.evictions) for key, one in after.items()} == {
        ModelKey("a", "1"): (2, 1),
        ModelKey("b", "1"): (1, 1),
        ModelKey("c", "1"): (2, 1),
    }
    assert after[ModelKey("c", "1")].last_used_at is not None
    assert all(card.digest for card in pool.cards())


def test_a_model_with_a_job_stays_and_the_other_waits_its_turn(make_pool: MakePool, tmp_path: Path) -> None:
    for name in "ab":
        write_model(tmp_path, name, kib=100)
    pool = make_pool(capacity_kib=150)
    first = UsingJob(pool, ModelKey("b", "1")).holds()
    waiting = UsingJob(pool, ModelKey("a", "1"))
    until(pool, lambda: ModelKey("b", "1") not in pool.claimable(16))  # it takes no more jobs, so that the turn comes
    second = UsingJob(pool, ModelKey("b", "1")).holds()  # claimed before that
    assert not waiting.got.is_set()
    first.end()
    assert not waiting.got.is_set()
    second.end()
    waiting.holds().end()
    assert states(pool) == {ModelKey("a", "1"): "ready", ModelKey("b", "1"): "idle"}
    assert pool.claimable(16) == {ModelKey("a", "1"): 16, ModelKey("b", "1"): 1}


def test_many_jobs_for_more_models_than_fit_all_end(make_pool: MakePool, tmp_path: Path) -> None:
    names = "abcde"
    for index, name in enumerate(names):
        write_model(tmp_path, name, kib=40 + 20 * index, factor=float(index))
    pool = make_pool(capacity_kib=160)
    jobs = [UsingJob(pool, ModelKey(name, "1")) for _ in range(6) for name in names]
    for job in jobs:
        job.let_go.set()
    for job in jobs:
        job.holds().end()
        assert job.factor == names.index(job.key[0])
    resident = sum(model.bytes for model in pool.resident().values())
    assert resident <= 160 * KIB


def test_another_model_loads_while_one_waits_for_room(make_pool: MakePool, tmp_path: Path) -> None:
    for name, kib in (("big", 100), ("large", 90), ("small", 10)):
        write_model(tmp_path, name, kib=kib)
    pool = make_pool(capacity_kib=120)
    busy = UsingJob(pool, ModelKey("big", "1")).holds()
    waiting = UsingJob(pool, ModelKey("large", "1"))
    assert use_once(pool, ModelKey("small", "1")) == 1.0  # 10 fit beside 100, and beside 90
    assert not waiting.got.is_set()
    busy.end()
    waiting.holds().end()


def test_a_job_that_waits_for_a_model_can_be_cancelled(make_pool: MakePool, tmp_path: Path) -> None:
    for name in "ab":
        write_model(tmp_path, name, kib=100)
    pool = make_pool(capacity_kib=150)
    busy = UsingJob(pool, ModelKey("b", "1")).holds()
    waiting = UsingJob(pool, ModelKey("a", "1"))
    until(pool, lambda: ModelKey("b", "1") not in pool.claimable(16))
    waiting.task.cancelled.set()
    pool.wake()
    waiting.join(TIMEOUT_S)
    assert isinstance(waiting.error, JobCancelled)
    until(pool, lambda: pool.claimable(16) == {ModelKey("a", "1"): 1, ModelKey("b", "1"): 16})
    busy.end()


def test_larger_than_the_whole_budget(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "a", kib=10)
    write_model(tmp_path, "b", kib=300)
    pool = make_pool(capacity_kib=200)
    assert states(pool) == {ModelKey("a", "1"): "ready", ModelKey("b", "1"): "failed"}
    (failed,) = (card for card in pool.cards() if card.status == "failed")
    assert failed.error == "it takes 300.0 KiB, and the memory for models is 200.0 KiB"


def test_a_successor_that_fits_only_in_its_place(make_pool: MakePool, tmp_path: Path) -> None:
    write_model(tmp_path, "a", kib=100)
    pool = make_pool(capacity_kib=150)
    job = UsingJob(pool, ModelKey("a", "1")).holds()
    write_model(tmp_path, "a", kib=100, factor=2.0)
    pool.load("a", None)
    until(pool, lambda: pool.claimable(16) == {})
    job.end()
    until(pool, lambda: pool.claimable(16) == {ModelKey("a", "1"): 16})  # no job is claimed before
    assert use_once(pool, ModelKey("a", "1")) == 2.0


def test_evicted_and_then_broken_fails_its_jobs_by_name(make_pool: MakePool, tmp_path: Path) -> None:
    for name in "ab":
        write_model(tmp_path, name, kib=100)
    pool = make_pool(capacity_kib=150)
    break_model(tmp_path / "a-1")
    job = UsingJob(pool, ModelKey("a", "1"))
    job.join(TIMEOUT_S)
    assert isinstance(job.error, JobFailed)
    assert "a@1" in job.error.detail
    assert states(pool)[ModelKey("a", "1")] == "failed"
    assert use_once(pool, ModelKey("b", "1")) == 1.0


def test_a_model_serves_while_another_one_loads_at_the_start(make_pool: MakePool, tmp_path: Path) -> None:
    broken, quick, slow = (ModelKey(name, "1") for name in ("broken", "quick", "slow"))
    break_model(write_model(tmp_path, "broken"))
    write_model(tmp_path, "quick", factor=2.0)
    write_model(tmp_path, "slow", factor=3.0)
    OPEN["slow"].clear()
    pool = make_pool(first=[broken, quick])
    assert states(pool) == {broken: "failed", quick: "ready", slow: "loading"}
    assert ENTERED["slow"].wait(TIMEOUT_S)
    assert pool.serving() == [quick]
    assert use_once(pool, quick) == 2.0
    assert states(pool)[slow] == "loading"
    OPEN["slow"].set()
    until(pool, lambda: pool.settled([slow]))
    assert use_once(pool, slow) == 3.0


def test_a_model_with_jobs_waiting_is_the_first_that_serves(make_pool: MakePool, tmp_path: Path) -> None:
    other, wanted = ModelKey("a-slow", "1"), ModelKey("b-wanted", "1")
    write_model(tmp_path, "a-slow")
    write_model(tmp_path, "b-wanted", factor=2.0)
    OPEN["a-slow"].clear()
    pool = make_pool(first=[wanted])
    assert pool.serving() == [wanted]
    assert use_once(pool, wanted) == 2.0
    assert states(pool)[other] == "loading"


def test_jobs_of_models_that_it_does_not_hold_hasten_nothing(make_pool: MakePool, tmp_path: Path) -> None:
    for name in ("m", "n"):
        write_model(tmp_path, name)
    pool = make_pool(first=[ModelKey("elsewhere", "1")])
    assert set(states(pool).values()) == {"ready"}


def test_where_no_model_loads_the_start_ends(make_pool: MakePool, tmp_path: Path) -> None:
    for name in ("m", "n"):
        break_model(write_model(tmp_path, name))
    pool = make_pool(first=[ModelKey("m", "1")])
    assert set(states(pool).values()) == {"failed"}
    assert pool.alive
