"""The models of a worker: jobs acquire and release them, and the operator loads and unloads them."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from schemas.errors import JobCancelled, JobFailed, UnloadedMeanwhile
from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus, Residence
from schemas.sentences import Sentence
from schemas.statistics import MemoryCounters
from workers.engine.task import Task
from workers.models.pool.loading_thread import LoadingThread
from workers.models.pool.slot import PooledModel, Slot
from workers.models.resident import Device, ResidentModel
from workers.models.tuning import STOP_LOADING_S
from workers.repository.folders import RepositoryEntry, chosen_models, fingerprint

log = structlog.get_logger()


class ModelPool:
    """The models of a worker. Every method may be called from any thread.

    Args:
        directories: of the model repository.
        device: what the models share.
        capacity: bytes that models may take in memory; None for no bound. The size of a model is known after its first
            load, so that load may exceed the capacity for a moment.
        served: the models of the directories to hold, as for `chosen_models`.
        prepared_s: from the start of the process until models can be loaded; None where it is not known.
    """

    def __init__(
        self,
        directories: list[Path],
        device: Device,
        capacity: int | None = None,
        served: frozenset[str] = frozenset(),
        prepared_s: float | None = None,
    ) -> None:
        self._directories = directories
        self._served = served
        self._changed = threading.Condition()
        self._slots: dict[ModelKey, Slot] = {}
        self._loader = LoadingThread(self._slots, self._changed, device, capacity, prepared_s)

    def start(self, unloaded: Iterable[ModelKey] = (), first: Iterable[ModelKey] = ()) -> None:
        """Loads models in the calling thread, and starts the loading thread.

        Args:
            unloaded: models that are not loaded.
            first: models that have jobs waiting, which are loaded before the others. If the pool holds one of them,
                this returns once any model serves, and the loading thread loads the others meanwhile. Without
                one, who waits for a worker finds all its models.
        """
        excluded, urgent = frozenset(unloaded), frozenset(first)
        entries = sorted(chosen_models(self._directories, self._served), key=lambda entry: entry.key not in urgent)
        for entry in entries:
            if entry.key in excluded:
                self._add_unloaded(entry)
            else:
                self._request_load(entry)
        is_awaited = any(entry.key in urgent - excluded for entry in entries)
        while self._loader.load_next():
            if is_awaited and self.serving():
                break
        self._loader.start()

    def stop(self) -> bool:
        """Cancels jobs that wait for a model, and stops every engine. No job may run. False if a load is in progress
        that did not end within `STOP_LOADING_S`."""
        with self._changed:
            self._loader.stopping = True
            self._changed.notify_all()
        if self._loader.ident is not None:
            self._loader.join(STOP_LOADING_S)
        with self._changed:
            released = [one for slot in self._slots.values() for one in self._loader.release(slot)]
        self._loader.free(released)
        return not self._loader.is_alive()

    def serving(self) -> list[ModelKey]:
        """The models whose jobs are taken, if only after a load."""
        with self._changed:
            return [key for key, slot in self._slots.items() if slot.serves]

    def claimable(self, most: int) -> dict[ModelKey, int]:
        """How many jobs of each model may run at once: `most`, or one where the model has to be loaded first."""
        with self._changed:
            return {
                key: most if slot.current is not None else 1
                for key, slot in self._slots.items()
                if slot.serves and key not in self._loader.draining
            }

    @contextmanager
    def use(self, key: ModelKey, task: Task) -> Iterator[ResidentModel]:
        """Acquires the model for a job, after a load if one is needed, and releases it at the end.

        Raises:
            UnloadedMeanwhile: the operator has unloaded the model.
            JobFailed: the model could not be loaded.
            JobCancelled: the job was cancelled, or the worker stops.
        """
        slot, acquired = self._acquire(key, task)
        try:
            yield acquired.model
        finally:
            unused = self._release(slot, acquired)
            del acquired  # the memory of a model is freed only when nothing refers to it
            self._loader.free(unused)

    def wake(self) -> None:
        """Makes jobs that wait for a model check whether they are cancelled."""
        with self._changed:
            self._changed.notify_all()

    def load(self, name: str, version: str | None) -> list[ModelKey]:
        """Requests loads of a model's folders that are new, not loaded, or changed. Returns the keys of all of them."""
        found = chosen_models(self._directories, self._served)
        entries = [one for one in found if one.name == name and version in (None, one.version)]
        for entry in entries:
            self._request_load(entry)
        return [entry.key for entry in entries]

    def unload(self, keys: Iterable[ModelKey]) -> None:
        """Takes models out of service. Jobs that run end as usual; jobs that wait are refused."""
        released: list[PooledModel] = []
        with self._changed:
            for slot in (self._slots[key] for key in keys if key in self._slots):
                if slot.status != "unloaded":
                    slot.load_requested = False
                    slot.set_status("unloaded")
                    released += self._loader.release(slot)
                    log.info("model unloaded", model=str(slot.key))
            self._changed.notify_all()
        self._loader.free(released)

    def reconcile(self, unloaded: frozenset[ModelKey]) -> list[ModelKey]:
        """Takes these models out of service, and all others into it. Returns the models that this changes."""
        with self._changed:
            out = [key for key, slot in self._slots.items() if key in unloaded and slot.status != "unloaded"]
            back = [slot for key, slot in self._slots.items() if key not in unloaded and slot.status == "unloaded"]
        self.unload(out)
        for slot in back:
            self._request_load(RepositoryEntry(slot.card.name, slot.card.version, slot.folder))
        return [*out, *(slot.key for slot in back)]

    def settled(self, keys: Iterable[ModelKey]) -> bool:
        """Whether no load of these models is requested or in progress, and replaced and unloaded ones are freed."""
        with self._changed:
            slots = [self._slots[key] for key in keys if key in self._slots]
            pending = any(slot.load_requested or slot.loading or slot.retired for slot in slots)
            return not self._loader.freeing_bytes and not pending

    def cards(self) -> list[ModelCard]:
        """The card of every model, with its present status."""
        with self._changed:
            return [slot.card for slot in self._slots.values()]

    def state(self) -> list[tuple[ModelKey, ModelStatus, str | None, str | None, bool]]:
        """Key, status, digest, error and completeness of every model, to compare with an earlier state."""
        with self._changed:
            return [
                (key, slot.status, slot.card.digest, slot.error, slot.incomplete) for key, slot in self._slots.items()
            ]

    def residence(self, worker_id: str) -> dict[ModelKey, Residence]:
        """Status and statistics of every model at this worker."""
        with self._changed:
            return {key: slot.residence(worker_id) for key, slot in self._slots.items()}

    def counters(self) -> dict[ModelKey, MemoryCounters]:
        """Values of metrics, by model."""
        with self._changed:
            return {key: slot.counters() for key, slot in self._slots.items()}

    def resident(self) -> dict[ModelKey, ResidentModel]:
        """The models in memory that take new jobs."""
        with self._changed:
            return {key: slot.current.model for key, slot in self._slots.items() if slot.current is not None}

    def load_s(self) -> dict[ModelKey, float]:
        """Seconds that a load took last, of the models that jobs would have to wait for."""
        with self._changed:
            return {key: slot.load_s for key, slot in self._slots.items() if slot.current is None and slot.serves}

    @property
    def alive(self) -> bool:
        """False when an engine or the loading thread has died: the process must be replaced."""
        return self._loader.is_alive() and all(model.engine.alive for model in self.resident().values())

    def _acquire(self, key: ModelKey, task: Task) -> tuple[Slot, PooledModel]:
        with self._changed:
            slot = self._slots.get(key)
            if slot is None:
                raise JobFailed("this worker does not know the model")
            current = slot.current or self._loaded(slot, task)
            current.jobs += 1
            slot.last_used = time.time()
            return slot, current

    def _loaded(self, slot: Slot, task: Task) -> PooledModel:
        """Waits for the model of a slot. Raises as `use`."""
        slot.mark_needed()
        slot.waiting += 1
        self._changed.notify_all()
        try:
            while slot.current is None:
                _check_wait(slot, task, stopping=self._loader.stopping)
                self._changed.wait()
            return slot.current
        finally:
            slot.waiting -= 1
            self._changed.notify_all()

    def _release(self, slot: Slot, acquired: PooledModel) -> list[PooledModel]:
        """Returns the models that are to be freed."""
        with self._changed:
            acquired.jobs -= 1
            slot.last_used = time.time()
            if not acquired.jobs and any(one.needs_load for one in self._slots.values()):
                self._changed.notify_all()  # the load may evict the model now
            return self._loader.release_unused(slot)

    def _slot(self, entry: RepositoryEntry) -> Slot:
        card = ModelCard(name=entry.name, version=entry.version, status="loading")
        slot = self._slots.setdefault(entry.key, Slot(entry.key, entry.folder, card))
        slot.folder = entry.folder
        return slot

    def _add_unloaded(self, entry: RepositoryEntry) -> None:
        with self._changed:
            self._slot(entry).set_status("unloaded")

    def _request_load(self, entry: RepositoryEntry) -> None:
        """Requests a load of a folder, unless its present files are loaded or requested."""
        files, error = _fingerprint(entry)
        with self._changed:
            slot = self._slot(entry)
            if slot.status == "unloaded":
                slot.set_status("loading")
            if error is not None:
                log.error("model refused", model=str(entry.key), reason=error)
                self._loader.note_failure(slot, error)
            elif slot.lacks(files):
                slot.mark_needed()
                slot.load_requested, slot.requested_fingerprint = True, files
                if slot.status == "failed":
                    slot.set_status("loading")
            self._changed.notify_all()


def _fingerprint(entry: RepositoryEntry) -> tuple[str | None, str | None]:
    """The fingerprint of the folder, or why it cannot be loaded."""
    if entry.error is not None:
        return None, entry.error
    try:
        return fingerprint(entry.folder), None
    except OSError as error:
        return None, f"its folder cannot be read: {error.strerror}"


def _check_wait(slot: Slot, task: Task, *, stopping: bool) -> None:
    """Raises an error where a job must not wait for this model any longer."""
    if stopping or task.cancelled.is_set():
        raise JobCancelled("the job was cancelled")
    if slot.status == "unloaded":
        raise UnloadedMeanwhile(Sentence("the model {model} has been unloaded", model=str(slot.key)))
    if slot.status == "failed":
        raise JobFailed(Sentence("the model {model} could not be loaded; its card says why", model=str(slot.key)))
