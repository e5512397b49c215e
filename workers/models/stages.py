"""The values that the steps of `workers.models.pipeline` pass on: one frozen type for each stage of a load."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from schemas.precision import PassPrecision
from workers.engine.view import ModelView
from workers.inputs.prepared import InputAdapter, Prepared
from workers.models.probes.embeddings import Embeddings
from workers.models.probes.execution import Execution
from workers.models.resident import Device
from workers.repository.model_toml import ModelConfig


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder of the model repository whose description is valid."""

    folder: Path
    config: ModelConfig
    device: Device


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model on its device.

    Attributes:
        config: the description, completed by the model's own files.
        module: in evaluation mode, with frozen weights.
        adapter: prepares the inputs of this model.
        sample: one valid input of one row.
        labels: names of the outputs, in order; None where there are none.
        background: the background set, (rows, …) for each input, on the device.
    """

    folder: Path
    config: ModelConfig
    device: Device
    module: nn.Module
    adapter: InputAdapter
    sample: Prepared
    labels: list[str] | None
    background: tuple[Tensor, ...] | None

    @property
    def background_rows(self) -> int:
        return 0 if self.background is None else int(self.background[0].shape[0])


@dataclass(frozen=True, slots=True)
class ProbedModel:
    """A model that returns one tensor, and what the tests at load found. `view` is the model as the engine calls it."""

    loaded: LoadedModel
    embeddings: Embeddings
    execution: Execution
    view: ModelView

    @property
    def sample_tensors(self) -> tuple[Tensor, ...]:
        """What `view.module` takes, one row."""
        return (*self.loaded.sample.inputs, *self.loaded.sample.additional_forward_args)


@dataclass(frozen=True, slots=True)
class HookableModel(ProbedModel):
    """`defects`: why families of hook methods are wrong; see `workers.transform.hookable.hookable_module`."""

    defects: dict[str, str]


@dataclass(frozen=True, slots=True)
class TunedModel(HookableModel):
    """A model with the precision and the size of its passes."""

    precision: PassPrecision
    batch_rows: int
