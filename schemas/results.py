"""The explanation itself."""

from typing import Any, Literal

from pydantic import Field

from schemas.base import Record
from schemas.jobs import ClassRef
from schemas.metrics import QualityReport
from schemas.pictures import Picture
from schemas.precision import PassPrecision
from schemas.tensors import TensorSpec


class ModelRef(Record):
    name: str
    version: str
    digest: str


class Prediction(Record):
    """`score` is the softmax probability of a class, the sigmoid of a label beside which others may hold, the value
    itself of a probability or a regression; `position` says where, for outputs of several dimensions."""

    index: int
    label: str | None = None
    score: float
    position: list[int] | None = Field(default=None, exclude_if=lambda position: position is None)


class TextScore(Record):
    """A token or a word; `start` and `end` are character offsets into the text, end exclusive."""

    text: str
    start: int
    end: int
    score: float


class FeatureScore(Record):
    """A column: its value in the table's own unit, its attribution in units of the model's output."""

    name: str
    value: float
    score: float


class Timing(Record):
    """Where the time went, in milliseconds, and the work done.

    `passes` counts those this job had rows in; `pass_ms` is the time of those passes, whoever's rows were in them
    beside its own, and `wait_ms` what it waited for them: both are part of `run_ms`, whose rest is the method's own
    code. `fill` is how full those passes were, of the model's batch.
    """

    queued_ms: float
    prepare_ms: float
    run_ms: float
    wait_ms: float = 0.0
    pass_ms: float = 0.0
    rows: int
    passes: int
    fill: float | None = None


class Convergence(Record):
    """When a method stopped that stops by itself, one entry per example.

    `errors` are what `tolerance` bounds: for steps the completeness error relative to the difference of the outputs,
    for samples the standard error relative to the largest attribution. `map_errors`, for steps: the estimated L2 error
    of the attributions themselves, relative to their norm; it falls more slowly.
    """

    unit: Literal["steps", "samples"]
    tolerance: float
    counts: list[int]
    errors: list[float]
    map_errors: list[float] | None = None


class Provenance(Record):
    service: str
    captum: str
    torch: str
    device: str
    dtype: str
    seed: int
    precision: PassPrecision = PassPrecision()  # of the passes that jobs share


class ResultMeta(Record):
    """A result without its numbers, as a worker stores it beside one safetensors blob of `attributions`."""

    id: str
    model: ModelRef
    method: dict[str, Any]
    layer: str | None = None
    target: list[ClassRef] | None
    predictions: list[list[Prediction]]
    attributions: list[TensorSpec]
    convergence_delta: list[float] | None = None
    convergence: Convergence | None = None
    tokens: list[list[TextScore]] | None = None
    words: list[list[TextScore]] | None = None
    features: list[list[FeatureScore]] | None = None
    picture: Picture | None = None
    quality: QualityReport | None = None
    warnings: list[str] = Field(default_factory=list)
    cache: Literal["hit", "shared"] | None = Field(
        default=None,
        description="Not computed for this job: taken from an earlier equal one, or shared with one under way.",
    )
    execution: Literal["packed", "alone"] = Field(
        default="packed", description="packed: rows share passes with other jobs'; alone: each row has its own pass."
    )
    execution_reason: str | None = None
    timing: Timing
    provenance: Provenance


class AttributionTensor(TensorSpec):
    """An attribution tensor: of the shape of the model's input, or of the layer."""

    data: list[float | None]


class Explanation(ResultMeta):
    """The whole result as JSON."""

    attributions: list[AttributionTensor]  # type: ignore[assignment]  # narrower: with the numbers
