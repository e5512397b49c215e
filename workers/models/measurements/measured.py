"""The outcomes of the measurements and proofs of one load, as they are kept."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.methods import BackwardRule
from schemas.models import LayerCard, MethodSupport
from schemas.precision import PassPrecision

KEY = r"^[0-9a-f]{64}$"
StepName = Literal["use_fused_modules", "fold_batch_norms", "channels_last"]
Index = Annotated[int, Field(ge=0)]


class Disproved(Exception):
    """A kept outcome does not hold for this model. The load measures and proves everything again."""


class Measured(BaseModel):
    """A model whose rows share passes. Models that run alone are cheap to load, and are not kept.

    Attributes:
        key: of `workers.models.measurements.key`; everything that the outcomes depend on.
        mixing_layers: by path, why the output of a layer for one row depends on other rows.
        index_columns: as in `workers.engine.view.ModelView`.
        steps: that made the optimized copy, in their order; none where passes run the module as it was built.
        rewrite: the way in which the hookable copy was made; None where there is no copy.
        rules: for each backward rule with a module, how that was made: as in `workers.transform.rules.RuleWay`.
        precision: of shared passes, with its measured error.
        batch_rows: of a full pass.
        layers, methods, default_layer: parts of the card that took trials.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    key: Annotated[str, Field(pattern=KEY)]
    mixing_layers: dict[str, str]
    index_columns: list[tuple[Index, Index]]
    steps: list[StepName]
    rewrite: tuple[bool, bool] | None
    rules: dict[BackwardRule, tuple[list[StepName], bool, bool]]
    precision: PassPrecision
    batch_rows: Annotated[int, Field(ge=1, le=65_536)]
    layers: list[LayerCard]
    methods: list[MethodSupport]
    default_layer: str | None
