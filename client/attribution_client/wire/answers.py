"""The documents that the service answers with.

Written by `client/generate_types.py` from the service's OpenAPI description; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class AdminCommandStatus:
    """An admin command, and the models that it is about. `done`: every live worker has executed it.

    version: None: every version.
    """

    action: Literal["load", "unload"]
    model: str
    version: str | None
    done: bool
    models: list[ModelState]


@dataclass(frozen=True)
class Agreement:
    """How far the attributions of two cells agree over the elements of their one input, as means over its examples.
    Elements are pixels (the sum over channels; layers are enlarged), words or columns. None where a figure is
    undefined: a constant map has no ranks, and maps without a common element that differs from 0 have no signs.

    cells: Positions of the two cells, the first is the smaller one.
    spearman: Rank correlation of the magnitudes, -1 to 1.
    strongest_tenth: The share of the strongest tenth of the elements that both have, 0 to 1; chance gives about
        0.1.
    signs: The share of the elements that have the same sign in both, 0 to 1.
    """

    cells: list[int]
    spearman: float | None
    strongest_tenth: float | None
    signs: float | None


@dataclass(frozen=True)
class AttributionPath:
    """The path of Integrated Gradients, of which the request wants `frames` points. `attributions` are the tensors
    of the attributions so far, (examples, points, …), the last point's equal to the result's own. Their numbers
    are in the formats npy (`?tensor=path.input`) and safetensors."""

    examples: list[PathPoints]
    attributions: list[TensorSpec]


@dataclass(frozen=True)
class Cell:
    """One cell of a comparison, an ordinary job: what it explains, and how.

    target: None until the predicted class is known.
    job: The job's id; None where the job was refused.
    status: That of the job; or refused: see error; or expired: the job is not kept.
    """

    model: str
    version: str | None
    method: dict[str, Any]
    target: list[ClassRef] | None
    job: str | None
    status: JobStatus | Literal["refused", "expired"]
    error: JobFailure | None = None
    links: CellLinks | None = None


@dataclass(frozen=True)
class CellLinks:
    job: str
    result: str
    overlay: str


@dataclass(frozen=True)
class ClassRef:
    """An output of the model. `position` is the place within the class's map, where outputs have several dimensions."""

    index: int
    label: str | None = None
    position: list[int] | None = None


@dataclass(frozen=True)
class Comparison:
    """A comparison as shown to a client. It is kept as long as its jobs.

    status: succeeded: all jobs have ended, and at least one has succeeded.
    cells: By model, then target, then method.
    agreement: None until all jobs have ended. Then one entry for each pair of cells that lie over one input.
    """

    id: str
    status: JobStatus
    progress: Progress
    created_at: str
    cells: list[Cell]
    agreement: list[Agreement] | None
    links: ComparisonLinks


@dataclass(frozen=True)
class ComparisonLinks:
    self: str
    sheet: str


@dataclass(frozen=True)
class CompletenessMetric:
    """The sum of one example's attributions and the value it should have, in units of the model's output. `error` is
    the sum minus the difference f(input) - f(baseline). `relative_error` is its size divided by that of the
    difference; None if the difference is zero. Closer to zero is better.

    output: f(input), the explained output of the model.
    """

    attributions_sum: float
    outputs_difference: float
    error: float
    relative_error: float | None
    output: float | None = None


@dataclass(frozen=True)
class Convergence:
    """The convergence of an adaptive method, which chooses its number of steps or samples. One entry per example.
    `errors` are the values that `tolerance` bounds: for steps the completeness error relative to the difference
    of the outputs, or `map_errors` where attributions do not add up to a difference; for samples the standard
    error relative to the largest attribution. `map_errors`, for steps only, is the estimated L2 error of the
    attributions relative to their norm; it falls more slowly."""

    unit: Literal["steps", "samples"]
    tolerance: float
    counts: list[int]
    errors: list[float]
    map_errors: list[float] | None = None


@dataclass(frozen=True)
class Curve:
    """`values[k]` is the output after `fractions[k]` of the features are deleted or inserted; `auc` the area below."""

    values: list[float]
    auc: float


@dataclass(frozen=True)
class Curves:
    """The curves of one example. A lower area is better for deletion, a higher one for insertion."""

    deletion: Curve
    insertion: Curve


@dataclass(frozen=True)
class Defaults:
    """What a request gets that names no method, baseline or layer."""

    method: str
    baseline: Literal["zero", "black", "white", "mean", "blur", "pad", "background"]
    shap_baseline: Literal["zero", "black", "white", "mean", "blur", "pad", "background"]
    layer: str | None = None


@dataclass(frozen=True)
class DeletionInsertionMetric:
    """Deletion and insertion curves. `value` is what they show: the target's probability or the model's output.

    units: Features that were ordered by attribution and deleted.
    """

    unit: Literal["pixels", "patches", "tokens", "words", "columns", "elements"]
    units: int
    value: Literal["probability", "output"]
    deletion_baseline: str
    insertion_baseline: str
    fractions: list[float]
    examples: list[Curves]


@dataclass(frozen=True)
class DialectNames:
    """Names that a model has in other systems' protocols."""

    vertex_endpoint: str | None = None


@dataclass(frozen=True)
class Explanation:
    """A whole result, with the numbers of its attributions.

    cache: Not computed for this job. hit: taken from an earlier equal job. shared: computed by an equal job at
        the same time.
    execution: packed: rows share passes with other jobs. alone: each row has its own pass.
    trace_id: The trace in which it was computed, where it had one; of a shared result that of the other job.
    """

    id: str
    model: ModelRef
    method: dict[str, Any]
    target: list[ClassRef] | None
    predictions: list[list[Prediction]]
    attributions: list[TensorSpec]
    timing: Timing
    provenance: Provenance
    layer: str | None = None
    convergence_delta: list[float] | None = None
    convergence: Convergence | None = None
    tokens: list[list[TextScore]] | None = None
    words: list[list[TextScore]] | None = None
    features: list[list[FeatureScore]] | None = None
    picture: Picture | None = None
    quality: QualityReport | None = None
    path: AttributionPath | None = None
    warnings: list[str] = field(default_factory=list)
    cache: Literal["hit", "shared"] | None = None
    execution: Literal["packed", "alone"] = "packed"
    execution_reason: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True)
class FamilyGuide:
    """What the methods of a family have in common, as one row of the comparison table."""

    title: str
    idea: str
    uses_gradients: str
    uses_baseline: str
    cost: str
    typical_results: str
    analogy: str
    when: str
    when_not: str


@dataclass(frozen=True)
class FeatureCard:
    """One column of a table, in its own unit; the model sees `(value - mean) / std`."""

    name: str
    mean: float
    std: float
    unit: str | None = None


@dataclass(frozen=True)
class FeatureScore:
    """A column with its value, in the table's own unit, and its attribution, in units of the model's output."""

    name: str
    value: float
    score: float


@dataclass(frozen=True)
class FieldError:
    """One refused field: its location in the request, and the reason."""

    loc: list[str | int]
    msg: str


@dataclass(frozen=True)
class Health:
    """Fields:

    workers: Live workers; only in /readyz.
    loading: Models that are being loaded and take no jobs yet, where there are any; only in /readyz.
    """

    status: Literal["ok", "ready"]
    workers: int | None = None
    loading: int | None = None


@dataclass(frozen=True)
class InfidelityMetric:
    """The mean squared error of the output's change as the attributions predict it, per example. In squared units of
    the model's output. Lower is better, zero is perfect."""

    perturbation: Literal["noise", "baseline"]
    n_perturb_samples: int
    normalize: bool
    values: list[float]


@dataclass(frozen=True)
class InputCard:
    """What one example looks like to the model. `shapes` leave the batch dimension out."""

    kind: Literal["image", "tabular", "text", "tensor"]
    shapes: list[list[int]]
    datatype: Literal["BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64"] = "FP32"
    preprocessing: Preprocessing | None = None
    vocabularies: list[int | None] | None = None
    features: list[FeatureCard] | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Job:
    """A job as shown to a client. Times are RFC 3339, UTC.

    target: None until the predicted class is known.
    trace_id: The trace of the request that submitted the job, where it had one.
    starts_in_s: In the answer to `POST /explain` for a model that is asleep: seconds until the job starts, as far
        as can be told from how long a worker of the model last took to start and from the jobs before this one.
    """

    id: str
    status: JobStatus
    progress: Progress
    model: str
    version: str
    method: dict[str, Any]
    target: list[ClassRef] | None
    priority: Literal["interactive", "batch"]
    created_at: str
    links: Links
    started_at: str | None = None
    finished_at: str | None = None
    error: JobFailure | None = None
    trace_id: str | None = None
    starts_in_s: float | None = None


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed; codes as in `schemas.errors`."""

    code: str
    title: str
    detail: str


@dataclass(frozen=True)
class JobPage:
    """One page of jobs, newest first; pass `next` as `cursor` for the page after it."""

    jobs: list[Job]
    next: str | None = None


@dataclass(frozen=True)
class LayerCard:
    """A module by its path in `named_modules`; shapes leave the batch dimension out."""

    name: str
    type: str
    output_shape: list[int] | None = None
    grid: list[int] | None = None
    calls: int = 1
    refused: str | None = None
    input_refused: str | None = None
    output_refused: str | None = None
    no_gradient: list[Literal["output", "input"]] = field(default_factory=list)
    no_gradient_to_input: list[Literal["output", "input"]] = field(default_factory=list)
    no_relu_before: list[Literal["output", "input"]] = field(default_factory=list)


@dataclass(frozen=True)
class Links:
    self: str
    events: str
    result: str
    overlay: str | None = None
    path: str | None = None
    quality: str | None = None


@dataclass(frozen=True)
class MethodCatalogue:
    """The guides of all methods. `columns` are the headings of the comparison table in this language.

    families: The families' names for people.
    layer_attribution: The generic row of the methods of the family `layer`.
    """

    language: Literal["en", "es"]
    columns: dict[str, str]
    families: dict[str, str]
    layer_attribution: FamilyGuide
    methods: list[MethodGuide]


@dataclass(frozen=True)
class MethodGuide:
    """A method described for people, with its parameters as a JSON schema.

    family_title: The family's name for people.
    cost: Model rows for one example: a formula in the parameters and in counts.
    when: When to use it.
    when_not: When another method serves better.
    parameters: JSON schema of the `method` object of a request.
    """

    name: str
    title: str
    family: Literal["gradient", "perturbation", "layer", "neuron"]
    family_title: str
    idea: str
    uses_gradients: bool
    uses_baseline: bool
    cost: str
    typical_results: str
    analogy: str
    when: str
    when_not: str
    reference: str
    reference_url: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class MethodSupport:
    name: str
    supported: bool
    reason: str | None = None
    solo_reason: str | None = None


@dataclass(frozen=True)
class ModelCard:
    """Fields:

    start_s: Seconds from the start of a worker until it takes this model's jobs, as last measured.
    """

    name: str
    version: str
    status: Literal["ready", "idle", "asleep", "loading", "unloaded", "failed"]
    error: str | None = None
    residence: list[Residence] = field(default_factory=list)
    digest: str | None = None
    description: dict[str, str] = field(default_factory=dict)
    license: str | None = None
    input: InputCard | None = None
    output: OutputCard | None = None
    layers: list[LayerCard] = field(default_factory=list)
    methods: list[MethodSupport] = field(default_factory=list)
    baselines: list[Literal["zero", "black", "white", "mean", "blur", "pad", "background"]] = field(
        default_factory=list
    )
    background_rows: int = 0
    defaults: Defaults | None = None
    batch_rows: int | None = None
    device: str | None = None
    execution: Literal["packed", "alone"] = "packed"
    execution_reason: str | None = None
    precision: PassPrecision | None = None
    start_s: float | None = None
    dialects: DialectNames = field(default_factory=DialectNames)


@dataclass(frozen=True)
class ModelList:
    """Every model that workers have announced, by name and version; those that took jobs for days after."""

    models: list[ModelCard]


@dataclass(frozen=True)
class ModelRef:
    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class ModelState:
    """The part of a card that changes while the service runs."""

    name: str
    version: str
    status: Literal["ready", "idle", "asleep", "loading", "unloaded", "failed"]
    error: str | None = None
    residence: list[Residence] = field(default_factory=list)


@dataclass(frozen=True)
class OutputCard:
    """`shape` is that of one example's output: `[]` a number, `[classes]`, or `[classes, height, width]` and the
    like, whose targets name a class and a position."""

    kind: Literal["classification", "multilabel", "probabilities", "regression"]
    size: int
    shape: list[int]
    kind_reason: str | None = None
    labels: list[str] | None = None


@dataclass(frozen=True)
class PassPrecision:
    """`float32` stands for the model's own precision, which is what passes use unless its operator says otherwise.

    gradient_error: Of input gradients in a reduced precision, against float64, as a relative L2 norm over inputs
        drawn around a sample. Null for float32, and where the model cannot be run in float64.
    """

    name: Literal["float32", "tf32", "float16", "bfloat16"] = "float32"
    gradient_error: float | None = None


@dataclass(frozen=True)
class PathPoints:
    """Points of one example's path from baseline to input, in order, and what the method has added up to each.
    Attributes: alphas: places on the path, above 0 for the baseline and up to 1 for the input. outputs: the
    model's explained output there. covered: the share of the path that the sum stands for: the weights so far of
    the quadrature. 1 for the last. sums: the attributions so far, added up over all elements; in units of the
    output if `multiply_by_inputs`. input_output: the output for the input, where the path ends. baseline_output:
    the output for the baseline, where the path begins; None if it was not computed."""

    alphas: list[float]
    outputs: list[float]
    covered: list[float]
    sums: list[float]
    input_output: float
    baseline_output: float | None = None


@dataclass(frozen=True)
class Picture:
    """The part of the client's picture that the model saw: `[left, top, right, bottom]` in upright pixels."""

    crop: list[float]
    width: int
    height: int


@dataclass(frozen=True)
class Prediction:
    """A predicted output. `score` is the softmax probability of a class, the sigmoid of a multilabel output, or the
    value itself of a probability or a regression. `position` is the place within the class's map, for outputs of
    several dimensions."""

    index: int
    score: float
    label: str | None = None
    position: list[int] | None = None


@dataclass(frozen=True)
class Preprocessing:
    """How a picture of any size becomes the pixels that the model sees; `schemas.picture_view` carries it out."""

    resize: Literal["crop", "stretch"] = "crop"
    resize_to: int | list[int] | None = None
    crop_fraction: float = 1.0
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] = "bilinear"


@dataclass(frozen=True)
class Problem:
    """An RFC 9457 problem document, `application/problem+json`.

    trace_id: The trace of the request, where it has one.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    trace_id: str | None = None


@dataclass(frozen=True)
class Progress:
    """Model rows computed so far. `total` is an estimate until the worker has seen the input."""

    done: int = 0
    total: int = 0
    fraction: float = 0.0


@dataclass(frozen=True)
class Provenance:
    service: str
    captum: str
    torch: str
    device: str
    dtype: str
    seed: int
    precision: PassPrecision = field(default_factory=PassPrecision)


@dataclass(frozen=True)
class QualityReport:
    """The metrics of the request, and completeness for every method that guarantees it."""

    completeness: list[CompletenessMetric] | None = None
    infidelity: InfidelityMetric | None = None
    sensitivity_max: SensitivityMetric | None = None
    deletion_insertion: DeletionInsertionMetric | None = None
    randomization: RandomizationMetric | None = None


@dataclass(frozen=True)
class RandomizationMetric:
    """Parameter randomization. Lower is better: an explanation that stays similar does not depend on the parameters."""

    order: Literal["cascading", "independent"]
    stages: list[Stage]


@dataclass(frozen=True)
class Residence:
    """A model at one worker."""

    worker: str
    status: Literal["ready", "idle", "asleep", "loading", "unloaded", "failed"]
    error: str | None = None
    bytes: int | None = None
    loads: int = 0
    evictions: int = 0
    last_used_at: str | None = None


@dataclass(frozen=True)
class SensitivityMetric:
    """The largest change of the explanation that was found, relative to its norm, per example. Lower is better."""

    perturb_radius: float
    n_perturb_samples: int
    values: list[float]


@dataclass(frozen=True)
class Similarity:
    """The similarity of one example's explanation to that of the randomized model. Closer to zero is better.
    `spearman` is the rank correlation of the attributions, -1 to 1, `spearman_abs` that of their absolute values;
    None if all are equal. `ssim` is the structural similarity of the absolute maps, for pictures."""

    spearman: float | None
    spearman_abs: float | None
    ssim: float | None = None


@dataclass(frozen=True)
class Stage:
    """The layers whose parameters were randomized in this stage, from `first` to `last` towards the input."""

    first: str
    last: str
    layers: int
    examples: list[Similarity]


@dataclass(frozen=True)
class TensorSpec:
    """A tensor without its values. In results a dimension may have any size that a layer produces."""

    name: str
    datatype: Literal["BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64"]
    shape: list[int]


@dataclass(frozen=True)
class TextScore:
    """A token or a word with its attribution. `start` and `end` are character offsets into the text, end exclusive."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Timing:
    """The time of a job by phase, in milliseconds, and its work. `passes` is the number of passes with rows of this
    job, `pass_ms` their time, which other jobs' rows share, and `wait_ms` the time the job waited for them. Both
    are part of `run_ms`; the rest of it is the method's own code. `fill` is the mean share of the model's batch
    that these passes filled."""

    queued_ms: float
    prepare_ms: float
    run_ms: float
    rows: int
    passes: int
    wait_ms: float = 0.0
    pass_ms: float = 0.0
    fill: float | None = None


JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
