"""The state of each model of the repository at this worker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus, Residence
from schemas.statistics import MemoryCounters
from schemas.timestamps import rfc3339
from workers.models.resident import ResidentModel


@dataclass(slots=True, eq=False)
class PooledModel:
    """A model in memory, with what the pool needs to replace and evict it."""

    model: ResidentModel
    bytes: int
    fingerprint: str  # of its folder when it was loaded
    load_s: float  # how long loading took
    loaded_at_s: float  # by the monotonic clock
    complete: Callable[[], ResidentModel] | None = None  # proves what is left; None: nothing is
    jobs: int = 0  # running on it; its completion counts as one


@dataclass(slots=True, eq=False)
class Slot:
    """One name and version. It is read and written under the pool's lock.

    The status on the card is the state: `loading` until the first load ends, `ready` with a model in memory, `idle`
    after an eviction until a job needs it, `unloaded` by the operator, `failed` where no load succeeded.
    """

    key: ModelKey
    folder: Path
    card: ModelCard
    current: PooledModel | None = None
    retired: list[PooledModel] = field(default_factory=list)  # replaced, evicted or unloaded; their last jobs run
    bytes: int | None = None  # at the latest load
    waiting: int = 0  # jobs that wait for a load
    load_requested: bool = False  # by the operator, or at start; a model in memory is then replaced
    requested_fingerprint: str | None = None  # of the folder, at the latest request
    loading: bool = False
    needed_since_s: float = 0.0  # by the monotonic clock
    last_used: float | None = None  # seconds since the epoch
    loads: int = 0
    load_s: float = 0.0  # how long the latest one took
    evictions: int = 0
    error: str | None = None  # of the latest load

    @property
    def needs_load(self) -> bool:
        return self.load_requested or (self.waiting > 0 and self.current is None and self.status == "idle")

    @property
    def incomplete(self) -> bool:
        """Whether something of the model in memory is still to be proven."""
        return self.current is not None and self.current.complete is not None

    @property
    def busy(self) -> bool:
        """Whether a job runs on the model or waits for it. Busy models are not evicted."""
        return self.waiting > 0 or (self.current is not None and self.current.jobs > 0)

    @property
    def status(self) -> ModelStatus:
        return self.card.status

    @property
    def serves(self) -> bool:
        """Whether jobs of the model are taken, if only after a load."""
        return self.status in {"ready", "idle"}

    def lacks(self, fingerprint: str | None) -> bool:
        """Whether the folder with this fingerprint is neither loaded nor requested."""
        if self.load_requested or self.loading:
            return self.requested_fingerprint != fingerprint
        return self.current is None or self.current.fingerprint != fingerprint

    def mark_needed(self) -> None:
        """Notes the time from which a load is needed. Callers call it before they make `needs_load` true."""
        if not self.needs_load:
            self.needed_since_s = monotonic()

    def set_status(self, status: ModelStatus, error: str | None = None) -> None:
        """Sets the published status. `error` is the reason of a failed load."""
        self.card = self.card.model_copy(update={"status": status, "error": error})
        self.error = error

    def retire(self) -> None:
        """Takes the current model out of service. Jobs that run on it keep it."""
        if self.current is not None:
            self.retired.append(self.current)
        self.current = None

    def begin_completion(self) -> tuple[PooledModel, Callable[[], ResidentModel]] | None:
        """The model in memory and the work that is left of it; None where nothing is. It counts as a job, so that the
        model stays in memory meanwhile."""
        current = self.current
        if current is None or current.complete is None:
            return None
        current.jobs += 1
        return current, current.complete

    def end_completion(self, completed: PooledModel, model: ResidentModel | None) -> None:
        """Notes what came of it; None: it failed, and the model goes on as it was."""
        completed.jobs -= 1
        completed.complete = None
        if model is not None:
            completed.model, completed.bytes = model, model.bytes
        if model is not None and self.current is completed:
            self.bytes = completed.bytes
            self.card = self.card.model_copy(update={"methods": model.card.methods})

    def pop_unused(self) -> list[PooledModel]:
        """Removes and returns the retired models that no job runs on."""
        unused = [one for one in self.retired if not one.jobs]
        self.retired = [one for one in self.retired if one.jobs]
        return unused

    def residence(self, worker_id: str) -> Residence:
        """Status and statistics of the model at this worker."""
        return Residence(
            worker=worker_id,
            status=self.status,
            error=self.error,
            bytes=self.bytes,
            loads=self.loads,
            evictions=self.evictions,
            last_used_at=None if self.last_used is None else rfc3339(int(1000 * self.last_used)),
        )

    def counters(self) -> MemoryCounters:
        """Values of metrics."""
        return MemoryCounters(
            loads_total=self.loads,
            evictions_total=self.evictions,
            model_bytes=0 if self.current is None else self.current.bytes,
            last_used_timestamp_seconds=self.last_used,
        )
