"""What a worker knows of each model of its repository."""

from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from schemas.models import ModelCard, ModelStatus
from workers.models.load import ResidentModel


@dataclass(slots=True, eq=False)
class Holding:
    """A model in memory."""

    model: ResidentModel
    bytes: int
    fingerprint: str  # of its folder, when it was loaded
    load_s: float  # that loading took
    since: float  # when it was loaded, by the monotonic clock
    jobs: int = 0  # that run on it


@dataclass(slots=True, eq=False)
class Slot:
    """One name and version. Read and written under the pool's lock."""

    key: str  # name@version
    folder: Path
    card: ModelCard
    held: Holding | None = None
    retired: list[Holding] = field(default_factory=list)  # replaced or unloaded, while their last jobs run
    bytes: int | None = None  # when last loaded
    waiting: int = 0  # jobs that wait for it to be loaded
    asked: bool = False  # the operator wants its folder loaded, again if it is held
    files: str | None = None  # fingerprint of its folder, when that was last asked
    loading: bool = False
    wanted_since: float = 0.0  # by the monotonic clock
    last_used: float | None = None  # seconds since the epoch
    loads: int = 0
    evictions: int = 0
    error: str | None = None  # of the latest load

    @property
    def wanted(self) -> bool:
        """To be loaded."""
        return self.asked or (self.waiting > 0 and self.held is None and self.status == "idle")

    @property
    def busy(self) -> bool:
        """Not to be evicted now."""
        return self.waiting > 0 or (self.held is not None and self.held.jobs > 0)

    @property
    def status(self) -> ModelStatus:
        return self.card.status

    def needs(self, files: str | None) -> bool:
        """Whether what its folder holds by this fingerprint is neither loaded nor about to be."""
        if self.asked or self.loading:
            return self.files != files
        return self.held is None or self.held.fingerprint != files

    def want(self) -> None:
        """Notes since when it is wanted; called before it is."""
        if not self.wanted:
            self.wanted_since = monotonic()

    def show(self, status: ModelStatus, error: str | None = None) -> None:
        """The status to publish; `error` is why, where it could not be loaded."""
        self.card = self.card.model_copy(update={"status": status, "error": error})
        self.error = error
