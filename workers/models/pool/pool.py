"""The models of a worker: jobs use them, and admin commands load and unload them."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from schemas.errors import JobCancelled, JobFailed, UnloadedMeanwhile
from schemas.models import ModelCard, ModelStatus, Residence
from schemas.statistics import MemoryCounters
from schemas.timestamps import rfc3339
from workers.engine.task import Task
from workers.models.load import Device, ResidentModel
from workers.models.pool.folders import Found, find_models, fingerprint
from workers.models.pool.loader import Loader
from workers.models.pool.slot import Holding, Slot

log = structlog.get_logger()
STOP_S = 5.0  # how long a load that is under way is waited for at the end


class ModelPool:
    """Models by `name@version`. Every method may be called from any thread.

    Args:
        directories: of the model repository.
        device: what the models share.
        budget: bytes that models may take in memory; None for no bound. The first load of a model shows how much it
            takes, and so may pass the bound for a moment.
    """

    def __init__(self, directories: list[Path], device: Device, budget: int | None = None) -> None:
        self._directories = directories
        self._device = device
        self._changed = threading.Condition()
        self._slots: dict[str, Slot] = {}
        self._loader = Loader(self._slots, self._changed, device, budget)

    def start(self, unloaded: Iterable[str] = ()) -> None:
        """Loads every model that is not unloaded, in the calling thread; from then on a thread loads them."""
        apart = frozenset(unloaded)
        for found in find_models(self._directories):
            self._order(found, unloaded=found.key in apart)
        while self._loader.step(block=False):
            pass
        self._loader.start()

    def stop(self) -> None:
        """Cancels jobs that wait for a model, and ends every engine. No job may run."""
        with self._changed:
            self._loader.stopping = True
            self._changed.notify_all()
        if self._loader.ident is not None:
            self._loader.join(STOP_S)
        with self._changed:
            leaving = [holding for slot in self._slots.values() for holding in self._loader.let_go(slot)]
        self._loader.give_up(leaving)

    def serving(self) -> list[str]:
        """The models whose jobs are taken, now or in their turn."""
        with self._changed:
            return [key for key, slot in self._slots.items() if slot.status in {"ready", "idle"}]

    def claimable(self, most: int) -> dict[str, int]:
        """How many jobs of each model may run at once: `most`, and one of a model that has yet to be brought back."""
        with self._changed:
            return {
                key: most if slot.held is not None else 1
                for key, slot in self._slots.items()
                if slot.status in {"ready", "idle"} and key not in self._loader.draining
            }

    @contextmanager
    def use(self, key: str, task: Task) -> Iterator[ResidentModel]:
        """The model, for as long as a job runs; waits until it is loaded.

        Raises:
            UnloadedMeanwhile: the operator has taken it out of service.
            JobFailed: it could not be loaded.
            JobCancelled: the job was cancelled, or the worker stops.
        """
        slot, holding = self._enter(key, task)
        try:
            yield holding.model
        finally:
            leaving = self._leave(slot, holding)
            del holding
            self._loader.give_up(leaving)

    def wake(self) -> None:
        """Lets jobs that wait for a model see that they are cancelled."""
        with self._changed:
            self._changed.notify_all()

    def load(self, name: str, version: str | None) -> list[str]:
        """Has a model's folders loaded: those found anew, not loaded, or changed since. Returns their keys."""
        found = [one for one in find_models(self._directories) if one.name == name and version in (None, one.version)]
        for one in found:
            self._order(one)
        return [one.key for one in found]

    def unload(self, keys: Iterable[str]) -> None:
        """Takes models out of service. Jobs that run go on; those that wait are refused."""
        leaving: list[Holding] = []
        with self._changed:
            for slot in (self._slots[key] for key in keys if key in self._slots):
                if slot.status != "unloaded":
                    slot.asked = False
                    slot.show("unloaded")
                    leaving += self._loader.let_go(slot)
                    log.info("model unloaded", model=slot.key)
            self._changed.notify_all()
        self._loader.give_up(leaving)

    def reconcile(self, unloaded: frozenset[str]) -> list[str]:
        """Takes these models out of service, and any others back into it. Returns those for which that was news."""
        with self._changed:
            out = [key for key, slot in self._slots.items() if key in unloaded and slot.status != "unloaded"]
            back = [slot for key, slot in self._slots.items() if key not in unloaded and slot.status == "unloaded"]
        self.unload(out)
        for slot in back:
            self._order(Found(slot.card.name, slot.card.version, slot.folder))
        return [*out, *(slot.key for slot in back)]

    def settled(self, keys: Iterable[str]) -> bool:
        """Whether nothing is left to do for these models, and what was replaced or unloaded is gone."""
        with self._changed:
            slots = [self._slots[key] for key in keys if key in self._slots]
            return not self._loader.leaving and not any(slot.asked or slot.loading or slot.retired for slot in slots)

    def cards(self) -> list[ModelCard]:
        """Of every model, as it stands."""
        with self._changed:
            return [slot.card for slot in self._slots.values()]

    def state(self) -> list[tuple[str, ModelStatus, str | None, str | None]]:
        """By which changes are told: key, status, digest, and what went wrong."""
        with self._changed:
            return [(key, slot.status, slot.card.digest, slot.error) for key, slot in self._slots.items()]

    def residence(self, worker_id: str) -> dict[str, Residence]:
        """What became of each model here."""
        with self._changed:
            return {
                key: Residence(
                    worker=worker_id,
                    status=slot.status,
                    error=slot.error,
                    bytes=slot.bytes,
                    loads=slot.loads,
                    evictions=slot.evictions,
                    last_used_at=None if slot.last_used is None else rfc3339(int(1000 * slot.last_used)),
                )
                for key, slot in self._slots.items()
            }

    def counters(self) -> dict[str, MemoryCounters]:
        """For metrics, by model."""
        with self._changed:
            return {
                key: MemoryCounters(
                    loads_total=slot.loads,
                    evictions_total=slot.evictions,
                    model_bytes=0 if slot.held is None else slot.held.bytes,
                    last_used_timestamp_seconds=slot.last_used,
                )
                for key, slot in self._slots.items()
            }

    def resident(self) -> dict[str, ResidentModel]:
        """The models in memory that take new jobs."""
        with self._changed:
            return {key: slot.held.model for key, slot in self._slots.items() if slot.held is not None}

    @property
    def alive(self) -> bool:
        """False when an engine or the loader has died: the process must be replaced."""
        return self._loader.is_alive() and all(model.engine.alive for model in self.resident().values())

    def _enter(self, key: str, task: Task) -> tuple[Slot, Holding]:
        with self._changed:
            slot = self._slots.get(key)
            if slot is None:
                raise JobFailed("this worker does not know the model")
            slot.want()
            slot.waiting += 1
            self._changed.notify_all()
            try:
                while slot.held is None:
                    _check(slot, task, stopping=self._loader.stopping)
                    self._changed.wait()
                slot.held.jobs += 1
                slot.last_used = time.time()
                return slot, slot.held
            finally:
                slot.waiting -= 1
                self._changed.notify_all()

    def _leave(self, slot: Slot, holding: Holding) -> list[Holding]:
        with self._changed:
            holding.jobs -= 1
            slot.last_used = time.time()
            self._changed.notify_all()
            return self._loader.let_go_retired(slot)

    def _order(self, found: Found, *, unloaded: bool = False) -> None:
        """Asks for a folder to be loaded, unless what it holds is loaded."""
        files, error = None, found.error
        if error is None and not unloaded:
            try:
                files = fingerprint(found.folder)
            except OSError as unreadable:
                error = f"its folder cannot be read: {unreadable.strerror}"
        with self._changed:
            card = ModelCard(name=found.name, version=found.version, status="loading")
            slot = self._slots.setdefault(found.key, Slot(found.key, found.folder, card))
            slot.folder = found.folder
            if not unloaded and slot.status == "unloaded":
                slot.show("loading")
            if unloaded:
                slot.show("unloaded")
            elif error is not None:
                log.error("model refused", model=found.key, reason=error)
                self._loader.refuse(slot, error)
            elif slot.needs(files):
                slot.want()
                slot.asked, slot.files = True, files
                if slot.status == "failed":
                    slot.show("loading")
            self._changed.notify_all()


def _check(slot: Slot, task: Task, *, stopping: bool) -> None:
    """Raises what keeps a job from waiting for this model any longer."""
    if stopping or task.cancelled.is_set():
        raise JobCancelled("the job was cancelled")
    if slot.status == "unloaded":
        raise UnloadedMeanwhile(f"the model {slot.key} has been unloaded")
    if slot.status == "failed":
        raise JobFailed(f"the model {slot.key} could not be loaded; its card says why")
