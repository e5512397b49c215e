"""The thread that loads models and makes room for them, while jobs of other models go on."""

import gc
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import structlog
import torch
from pydantic import ByteSize

from workers.engine.allocator import return_freed_memory
from workers.engine.error_trace import without_data
from workers.engine.threads import use_threads
from workers.models.card import MAX_REASON
from workers.models.load import Device, load_model
from workers.models.load_failure import load_failure_reason
from workers.models.pool.eviction import STAY, Place, drain, victims
from workers.models.pool.folders import fingerprint
from workers.models.pool.slot import Holding, Slot
from workers.repository.model_toml import ModelConfigError

log = structlog.get_logger()


class Loader(threading.Thread):
    """Loads one model at a time: the one wanted longest, or one that fits beside it without holding it up.

    Slots belong to the pool; they are read and written under `changed`. `budget` is in bytes, None for no bound.
    """

    def __init__(
        self, slots: dict[str, Slot], changed: threading.Condition, device: Device, budget: int | None
    ) -> None:
        super().__init__(name="loader", daemon=True)
        self._slots = slots
        self._changed = changed
        self._device = device
        self._budget = budget
        self.leaving = 0  # bytes of models that are being given up
        self.draining: frozenset[str] = frozenset()  # models that should take no more jobs
        self.stopping = False

    def run(self) -> None:
        while self.step(block=True):
            pass

    def step(self, *, block: bool) -> bool:
        """Loads one model. False when there is none to be loaded: with `block`, only once it is to stop."""
        with self._changed:
            chosen = self._wait() if block else self._choose()[0]
            if chosen is None:
                return False
            slot, leaving = chosen
            evicted = [self._evict(other) for other in leaving]
            slot.loading, slot.asked = True, False
        self.give_up(evicted)
        self.give_up(self._load(slot))
        return True

    def give_up(self, holdings: list[Holding]) -> None:
        """Ends the engines of models that no slot holds any more, and frees their memory. Empties the list."""
        if not holdings:
            return
        size = sum(holding.bytes for holding in holdings)
        while holdings:
            holdings.pop().model.engine.stop()
        gc.collect()  # modules and their hooks may refer to each other
        if self._device.device.type == "cuda":
            torch.cuda.empty_cache()
        else:
            return_freed_memory()
        with self._changed:
            self.leaving -= size
            self._changed.notify_all()

    def let_go(self, slot: Slot) -> list[Holding]:
        """Takes the model out of its slot. What is returned is for `give_up`; jobs that still run keep theirs."""
        holding, slot.held = slot.held, None
        if holding is not None:
            slot.retired.append(holding)
        return self.let_go_retired(slot)

    def let_go_retired(self, slot: Slot) -> list[Holding]:
        """The replaced models of a slot that no job runs on any more, for `give_up`."""
        done = [holding for holding in slot.retired if not holding.jobs]
        slot.retired = [holding for holding in slot.retired if holding.jobs]
        self.leaving += sum(holding.bytes for holding in done)
        return done

    def _evict(self, slot: Slot) -> Holding:
        (holding,) = self.let_go(slot)
        slot.evictions += 1
        slot.show("idle", slot.error)
        log.info("model evicted", model=slot.key, bytes=holding.bytes)
        return holding

    def _wait(self) -> tuple[Slot, list[Slot]] | None:
        while not self.stopping:
            before = self.draining
            chosen, look_again_s = self._choose()
            if chosen is not None:
                return chosen
            if self.draining != before:
                self._changed.notify_all()
            self._changed.wait(look_again_s)
        return None

    def _choose(self) -> tuple[tuple[Slot, list[Slot]] | None, float | None]:
        """What to load and what to evict for it; or None, and when to look again if nothing happens."""
        self.draining = frozenset()
        look_again_s = None
        spare: int | None = None  # bytes that are free whether or not the one wanted longest is loaded
        wanted = [slot for slot in self._slots.values() if slot.wanted and not slot.loading]
        for slot in sorted(wanted, key=lambda s: s.wanted_since):
            need, free = slot.bytes or 0, self._free()
            if spare is not None:
                if need <= min(free, spare):
                    return (slot, []), None
                continue
            leaving = victims(self._places(without=slot), need, free)
            if leaving is not None:
                return (slot, [self._slots[key] for key in leaving]), None
            if slot.held is not None:  # its successor fits only in its place
                if not slot.busy:
                    return (slot, [slot]), None
                self.draining, spare = frozenset([slot.key]), 0
            else:
                self.draining, spare, look_again_s = drain(self._places(), need, free, monotonic())
        return None, look_again_s

    def _free(self) -> int:
        """Bytes of the budget that nothing holds; negative where a model turned out larger than expected."""
        if self._budget is None:
            return 1 << 62
        slots = self._slots.values()
        held = sum(one.bytes for slot in slots for one in (slot.held, *slot.retired) if one is not None)
        return self._budget - held - self.leaving

    def _places(self, without: Slot | None = None) -> Iterable[Place]:
        for slot in self._slots.values():
            if slot.held is not None and slot is not without:
                one = slot.held
                yield Place(slot.key, one.bytes, slot.busy, slot.last_used or 0.0, one.since + STAY * one.load_s)

    def _load(self, slot: Slot) -> list[Holding]:
        """Returns what is to be given up for it."""
        try:
            holding = self._read(slot)
        except Exception as error:  # a model's own code may raise anything
            self._failed(slot, load_failure_reason(error, slot.folder)[:MAX_REASON], without_data(error))
            return []
        return self._loaded(slot, holding)

    def _read(self, slot: Slot) -> Holding:
        """The model of a slot's folder, its engine started.

        Raises:
            ModelConfigError: the folder describes another model by now, or one that is larger than the budget.
            Whatever loading raises.
        """
        started = monotonic()
        files = fingerprint(slot.folder)
        # A thread of its own, that ends: while OpenMP keeps its threads for it, those of passes do not spin.
        with ThreadPoolExecutor(1, "loading", use_threads, (self._device.threads,)) as thread:
            model = thread.submit(load_model, slot.folder, self._device).result()
        if model.key != slot.key:
            raise ModelConfigError(f"its folder now holds {model.key}")
        size = model.bytes
        if self._budget is not None and size > self._budget:
            taken, allowed = (ByteSize(count).human_readable(separator=" ") for count in (size, self._budget))
            raise ModelConfigError(f"it takes {taken}, and the memory for models is {allowed}")
        model.engine.start()
        return Holding(model, size, files, load_s=monotonic() - started, since=monotonic())

    def _loaded(self, slot: Slot, holding: Holding) -> list[Holding]:
        with self._changed:
            slot.loading = False
            slot.loads += 1
            slot.bytes = holding.bytes
            leaving = self.let_go(slot)
            slot.held = holding
            if slot.status == "unloaded":  # meanwhile
                leaving += self.let_go(slot)
            else:
                slot.card = holding.model.card
                slot.show("ready")
            leaving += self._shrink(slot)
            self._changed.notify_all()
        log.info("model loaded", model=slot.key, digest=holding.model.card.digest, bytes=holding.bytes)
        return leaving

    def _shrink(self, newest: Slot) -> list[Holding]:
        """Evicts what a model pushes out that turned out larger than expected; itself, where nothing else can go."""
        excess = -self._free() - self.leaving
        if excess <= 0:
            return []
        places = list(self._places(without=newest))
        keys = victims(places, excess, 0)
        if keys is None:
            return [self._evict(newest)] if newest.held is not None else []
        return [self._evict(self._slots[key]) for key in keys]

    def _failed(self, slot: Slot, reason: str, stack: str) -> None:
        with self._changed:
            slot.loading = False
            self.refuse(slot, reason)
            self._changed.notify_all()
        log.error("model failed to load", model=slot.key, reason=reason, exception=stack)

    def refuse(self, slot: Slot, reason: str) -> None:
        """Notes why what the folder holds cannot be loaded. A model that is loaded serves on."""
        if slot.held is not None:
            slot.error = reason
        elif slot.status != "unloaded":
            slot.show("failed", reason)
