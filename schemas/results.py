"""The result of a job: the explanation."""

from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from schemas.base import Record
from schemas.jobs import ClassRef
from schemas.metrics import QualityReport
from schemas.pictures import Picture
from schemas.precision import PassPrecision
from schemas.sentences import SentenceParts
from schemas.tensors import TensorSpec


class ModelRef(Record):
    name: str
    version: str
    digest: str


class Prediction(Record):
    """A predicted output.

    `score` is the softmax probability of a class, the sigmoid of a multilabel output, or the value itself of a
    probability or a regression. `position` is the place within the class's map, for outputs of several dimensions.
    """

    index: int
    label: str | None = None
    score: float
    position: list[int] | None = Field(default=None, exclude_if=lambda position: position is None)


class TextScore(Record):
    """A token or a word with its attribution. `start` and `end` are character offsets into the text, end exclusive."""

    text: str
    start: int
    end: int
    score: float


class FeatureScore(Record):
    """A column with its value, in the table's own unit, and its attribution, in units of the model's output."""

    name: str
    value: float
    score: float


class Timing(Record):
    """The time of a job by phase, in milliseconds, and its work.

    `passes` is the number of passes with rows of this job, `pass_ms` their time, which other jobs' rows share, and
    `wait_ms` the time the job waited for them. Both are part of `run_ms`; the rest of it is the method's own code.
    `fill` is the mean share of the model's batch that these passes filled.
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
    """The convergence of an adaptive method, which chooses its number of steps or samples. One entry per example.

    `errors` are the values that `tolerance` bounds: for steps the completeness error relative to the difference of the
    outputs, or `map_errors` where attributions do not add up to a difference; for samples the standard error relative
    to the largest attribution. `map_errors`, for steps only, is the estimated L2 error of the attributions relative to
    their norm; it falls more slowly.
    """

    unit: Literal["steps", "samples"]
    tolerance: float
    counts: list[int]
    errors: list[float]
    map_errors: list[float] | None = None


class PathPoints(Record):
    """Points of one example's path from baseline to input, in order, and what the method has added up to each.

    Attributes:
        alphas: places on the path, above 0 for the baseline and up to 1 for the input.
        outputs: the model's explained output there.
        covered: the share of the path that the sum stands for: the weights so far of the quadrature. 1 for the last.
        sums: the attributions so far, added up over all elements; in units of the output if `multiply_by_inputs`.
        input_output: the output for the input, where the path ends.
        baseline_output: the output for the baseline, where the path begins; None if it was not computed.
    """

    alphas: list[float]
    outputs: list[float]
    covered: list[float]
    sums: list[float]
    input_output: float
    baseline_output: float | None = None


class AttributionPath(Record):
    """The path of Integrated Gradients, of which the request wants `frames` points.

    `attributions` are the tensors of the attributions so far, (examples, points, …), the last point's equal to the
    result's own. Their numbers are in the formats npy (`?tensor=path.input`) and safetensors.
    """

    examples: list[PathPoints]
    attributions: list[TensorSpec]


class Provenance(Record):
    service: str
    captum: str
    torch: str
    device: str
    dtype: str
    seed: int
    precision: PassPrecision = PassPrecision()  # of the shared lane's passes


class ResultMeta(Record):
    """A result without its numbers. A worker stores it with one safetensors blob of the `attributions`."""

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
    path: AttributionPath | None = Field(default=None, exclude_if=lambda path: path is None)
    warnings: list[str] = Field(default_factory=list)
    warning_parts: SkipJsonSchema[list[SentenceParts | None]] = Field(  # in the store; not shown to clients
        default_factory=list, exclude_if=lambda parts: not parts
    )
    cache: Literal["hit", "shared"] | None = Field(
        default=None,
        description="Not computed for this job. hit: taken from an earlier equal job. shared: computed by an equal job "
        "at the same time.",
    )
    execution: Literal["packed", "alone"] = Field(
        default="packed",
        description="packed: rows share passes with other jobs. alone: each row has its own pass.",
    )
    execution_reason: str | None = None
    trace_id: str | None = Field(
        default=None,
        exclude_if=lambda trace_id: trace_id is None,
        description="The trace in which it was computed, where it had one; of a shared result that of the other job.",
    )
    timing: Timing
    provenance: Provenance


Encoding = Literal["numbers", "base64"]  # of the attributions in a JSON document


class AttributionTensor(TensorSpec):
    """An attribution tensor, of the shape of the model's input or of the layer."""

    encoding: Literal["base64"] | None = Field(
        default=None,
        exclude_if=lambda encoding: encoding is None,
        description="Present where the client asks for it: `data` is then the base64 of the elements, little-endian.",
    )
    data: list[float | None] | str = Field(
        description="Row-major: a flat list of numbers, or with `encoding` base64 a string. In the list null stands "
        "for NaN and infinity; the string holds them."
    )


class Explanation(ResultMeta):
    """A whole result, with the numbers of its attributions."""

    attributions: list[AttributionTensor]  # type: ignore[assignment]  # narrows the type: adds the numbers
