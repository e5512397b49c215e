"""The thread that loads models and evicts others for them, while jobs of other models run."""

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import TypeVar

import structlog
import torch
from pydantic import ByteSize

from schemas.model_key import ModelKey
from workers.engine.device.allocator import return_freed_memory
from workers.engine.device.threads import use_threads
from workers.engine.error_trace import without_data
from workers.models.load_failure import load_failure_reason
from workers.models.pipeline import load_usable
from workers.models.pool.eviction import victims
from workers.models.pool.load_plan import LoadPlan, candidates, plan_load
from workers.models.pool.slot import PooledModel, Slot
from workers.models.resident import Device, ResidentModel
from workers.repository.folders import fingerprint
from workers.repository.model_toml import ModelConfigError

log = structlog.get_logger()
T = TypeVar("T")


class LoadingThread(threading.Thread):
    """Loads one model at a time. While none is to be loaded, it completes those that are in memory.

    Args:
        slots: the pool's slots, read and written under `changed`.
        changed: the pool's condition.
        device: what the models share.
        capacity: bytes that all models may take; None for no bound.
        prepared_s: from the start of the process until models could be loaded; None where it is not known.
    """

    def __init__(
        self,
        slots: dict[ModelKey, Slot],
        changed: threading.Condition,
        device: Device,
        capacity: int | None,
        prepared_s: float | None = None,
    ) -> None:
        super().__init__(name="loader", daemon=True)
        self._slots = slots
        self._changed = changed
        self._device = device
        self._capacity = capacity
        self._prepared_s = prepared_s
        self.freeing_bytes = 0  # of models that left their slots and are still in memory
        self.draining: frozenset[ModelKey] = frozenset()  # models that take no new jobs
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            if not self.load_next() and not self._complete_next():
                self._wait_for_work()

    def load_next(self) -> bool:
        """Loads one model. Returns False where none is to be loaded, or none can be now."""
        with self._changed:
            plan = self._plan()
            if plan.slot is None:
                return False
            evicted = [self._evict(slot) for slot in plan.evict]
            plan.slot.loading, plan.slot.load_requested = True, False
        self.free(evicted)
        self.free(self._load(plan.slot))
        return True

    def _complete_next(self) -> bool:
        """Completes one model while its jobs run. Returns False where none is to be completed."""
        with self._changed:
            slot = self._incomplete()
            begun = None if slot is None else slot.begin_completion()
            if slot is None or begun is None:
                return False
        completing, complete = begun
        model: ResidentModel | None = None
        try:
            model = self._in_own_thread(complete)
        except Exception as error:
            log.error("model cannot be completed", model=str(slot.key), exception=without_data(error))
        with self._changed:
            slot.end_completion(completing, model)
            unused = self.release_unused(slot)
            self._changed.notify_all()
        del begun, completing, complete, model  # the memory of a model is freed only when nothing refers to it
        self.free(unused)
        return True

    def release(self, slot: Slot) -> list[PooledModel]:
        """Takes the model out of its slot. Returns what is to be passed to `free`; jobs that run keep their model."""
        slot.retire()
        return self.release_unused(slot)

    def release_unused(self, slot: Slot) -> list[PooledModel]:
        """Takes retired models that no job runs on out of their slot. Returns what is to be passed to `free`."""
        unused = slot.pop_unused()
        self.freeing_bytes += sum(one.bytes for one in unused)
        return unused

    def free(self, models: list[PooledModel]) -> None:
        """Stops the engines of models that have left their slots, and frees their memory. Empties the list."""
        if not models:
            return
        size = sum(one.bytes for one in models)
        while models:  # no reference may stay, or the memory is not freed
            models.pop().model.engine.stop()
        gc.collect()  # modules and their hooks may refer to each other
        if self._device.device.type == "cuda":
            torch.cuda.empty_cache()
        else:
            return_freed_memory()
        with self._changed:
            self.freeing_bytes -= size
            self._changed.notify_all()

    def note_failure(self, slot: Slot, reason: str) -> None:
        """Notes why the folder of a slot cannot be loaded. A model that is in memory stays in service."""
        if slot.current is not None:
            slot.error = reason
        elif slot.status != "unloaded":
            slot.set_status("failed", reason)

    def _wait_for_work(self) -> None:
        with self._changed:
            while not self.stopping:
                before = self.draining
                plan = self._plan()
                if plan.slot is not None or self._incomplete() is not None:
                    return
                if self.draining != before:
                    self._changed.notify_all()
                self._changed.wait(plan.recheck_s)

    def _incomplete(self) -> Slot | None:
        return next((slot for slot in self._slots.values() if slot.incomplete), None)

    def _in_own_thread(self, work: Callable[[], T]) -> T:
        """Runs it in a thread that ends: OpenMP keeps a set of threads for it, so those of passes do not spin."""
        with ThreadPoolExecutor(1, "loading", use_threads, (self._device.threads,)) as thread:
            return thread.submit(work).result()

    def _plan(self) -> LoadPlan:
        plan = plan_load(self._slots, self._free_bytes(), monotonic())
        self.draining = plan.draining
        return plan

    def _free_bytes(self) -> int:
        """Bytes that no model takes; negative where a model turned out larger than expected."""
        if self._capacity is None:
            return sys.maxsize
        slots = self._slots.values()
        held = sum(one.bytes for slot in slots for one in (slot.current, *slot.retired) if one is not None)
        return self._capacity - held - self.freeing_bytes

    def _evict(self, slot: Slot) -> PooledModel:
        (evicted,) = self.release(slot)
        slot.evictions += 1
        slot.set_status("idle", slot.error)
        log.info("model evicted", model=str(slot.key), bytes=evicted.bytes)
        return evicted

    def _load(self, slot: Slot) -> list[PooledModel]:
        """Returns what is to be freed after the load."""
        try:
            loaded = self._read(slot)
        except Exception as error:  # a model's own code may raise anything
            self._fail(slot, load_failure_reason(error, slot.folder), without_data(error))
            return []
        return self._install(slot, loaded)

    def _read(self, slot: Slot) -> PooledModel:
        """Loads the folder of a slot, and starts the engine of its model.

        Raises:
            ModelConfigError: the folder now describes another model, or one larger than the capacity.
            Exception: whatever loading raises.
        """
        started_s = monotonic()
        files = fingerprint(slot.folder)
        usable = self._in_own_thread(partial(load_usable, slot.folder, self._device))
        model = usable.model
        if model.key != slot.key:
            raise ModelConfigError(f"its folder now holds {model.key}")
        size = model.bytes
        if self._capacity is not None and size > self._capacity:
            taken, allowed = (ByteSize(count).human_readable(separator=" ") for count in (size, self._capacity))
            raise ModelConfigError(f"it takes {taken}, and the memory for models is {allowed}")
        model.engine.start()
        loaded_at_s = monotonic()
        load_s = loaded_at_s - started_s
        return PooledModel(model, size, files, load_s, loaded_at_s, usable.complete)

    def _install(self, slot: Slot, loaded: PooledModel) -> list[PooledModel]:
        """Puts a loaded model into its slot. Returns what is to be freed."""
        with self._changed:
            slot.loading = False
            slot.loads += 1
            slot.bytes, slot.load_s = loaded.bytes, loaded.load_s
            replaced = self.release(slot)
            slot.current = loaded
            if slot.status == "unloaded":  # the operator unloaded it during the load
                replaced += self.release(slot)
            else:
                start_s = None if self._prepared_s is None else round(self._prepared_s + loaded.load_s, 2)
                slot.card = loaded.model.card.model_copy(update={"start_s": start_s})
                slot.set_status("ready")
            evicted = self._evict_excess(slot)
            self._changed.notify_all()
        log.info("model loaded", model=str(slot.key), digest=loaded.model.card.digest, bytes=loaded.bytes)
        return replaced + evicted

    def _evict_excess(self, newest: Slot) -> list[PooledModel]:
        """Evicts idle models where the newest one is larger than expected; the newest, where these are not enough."""
        excess = -self._free_bytes() - self.freeing_bytes
        if excess <= 0:
            return []
        keys = victims(candidates(self._slots.values(), without=newest), excess, 0)
        if keys is not None:
            return [self._evict(self._slots[key]) for key in keys]
        return [self._evict(newest)] if newest.current is not None else []

    def _fail(self, slot: Slot, reason: str, stack: str) -> None:
        with self._changed:
            slot.loading = False
            self.note_failure(slot, reason)
            self._changed.notify_all()
        log.error("model failed to load", model=str(slot.key), reason=reason, exception=stack)
