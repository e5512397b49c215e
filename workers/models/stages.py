"""The values that the steps of `workers.models.pipeline` pass on: one frozen type for each stage of a load."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from schemas.precision import PassPrecision
from workers.engine.view import ModelView
from workers.inputs.prepared import InputAdapter, Prepared
from workers.models.measurements.measured import Measured
from workers.models.probes.embeddings import Embeddings
from workers.models.probes.execution import Execution
from workers.models.resident import Device, ResidentModel
from workers.repository.model_toml import ModelConfig
from workers.transform.rules import RuleChoice


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
        digest: of the model, as on its card.
        known: what an earlier load measured, which later steps check and reuse; None: they measure.
    """

    folder: Path
    config: ModelConfig
    device: Device
    module: nn.Module
    adapter: InputAdapter
    sample: Prepared
    labels: list[str] | None
    background: tuple[Tensor, ...] | None
    digest: str
    known: Measured | None = None

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
class OptimizedModel(ProbedModel):
    """`steps`: names of the steps that made the optimized copy; None where one failed, so that nothing is known."""

    steps: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class HookableModel(OptimizedModel):
    """A model with a hookable copy, where one is needed; see `workers.transform.hookable.hookable_module`.

    Attributes:
        defects: why families of hook methods are wrong. None are listed for a model whose card is known.
        rewrite: how the copy was made; None where there is none.
        examined: False where an examination or a proof failed.
    """

    defects: dict[str, str]
    rewrite: tuple[bool, bool] | None
    examined: bool


@dataclass(frozen=True, slots=True)
class RuledModel(HookableModel):
    """A model with a rule module for each backward rule that has one (see `workers.transform.rules`), or with the work
    that finds them.

    Attributes:
        rules: the modules; None where they are still to be made and proven.
        prove_rules: makes and proves them, on copies of its own, while the model's jobs run; None where that is done.
            It raises nothing.
    """

    rules: RuleChoice | None
    prove_rules: Callable[[], RuleChoice] | None


@dataclass(frozen=True, slots=True)
class TunedModel(RuledModel):
    """A model with the precision and the size of its passes. `timed`: the size was measured, or is configured."""

    precision: PassPrecision
    batch_rows: int
    timed: bool


@dataclass(frozen=True, slots=True)
class UsableModel:
    """A model that is ready to explain.

    Attributes:
        model: with an engine that is not started.
        complete: proves what makes methods cheaper and none possible, while jobs run. Returns the model with its final
            card. Called once, in any thread; None where nothing is left to prove.
    """

    model: ResidentModel
    complete: Callable[[], ResidentModel] | None = None
