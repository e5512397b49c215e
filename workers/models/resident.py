"""A model in memory with its engine, and the device that models share."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from schemas.model_key import ModelKey
from schemas.models import ModelCard, OutputKind
from schemas.telemetry.spans import Tracer
from workers.engine.device.gate import DeviceGate
from workers.engine.device.memory import resident_bytes
from workers.engine.engine import Engine
from workers.inputs.prepared import InputAdapter
from workers.methods.memory_budget import MemoryBudget
from workers.models.measurements.cache import MeasurementCache
from workers.repository.model_toml import ModelConfig


@dataclass(frozen=True, slots=True)
class Device:
    """What the engines of one device share."""

    device: torch.device
    threads: int  # CPU threads of a pass
    batch_rows: int | None  # of a full pass; None: tuned for each model
    gate: DeviceGate
    memory: MemoryBudget = field(default_factory=MemoryBudget)
    measurements: MeasurementCache | None = None  # of earlier loads; None: each load measures
    tracer: Tracer | None = None  # of spans of passes
    processes: int = 1  # that share the device, this one included


@dataclass(frozen=True, slots=True)
class ResidentModel:
    """A model that is ready to explain."""

    config: ModelConfig
    card: ModelCard
    adapter: InputAdapter
    engine: Engine
    background: tuple[Tensor, ...] | None  # (rows, …) for each input, on the device
    memory: MemoryBudget

    @property
    def key(self) -> ModelKey:
        return ModelKey(self.card.name, self.card.version)

    @property
    def output_kind(self) -> OutputKind:
        """The kind that `model.toml` gives, or the kind that was found at load."""
        return self.card.output.kind if self.card.output else "classification"

    @property
    def bytes(self) -> int:
        """The device memory that the model takes between passes."""
        return resident_bytes(self.engine.view.modules(), *(self.background or ()))
