"""The model card: what a worker publishes about a model, and the gateway checks requests against."""

from typing import Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from schemas.base import Forwarded, Record
from schemas.methods import BaselineName
from schemas.pictures import Preprocessing
from schemas.precision import PassPrecision
from schemas.sentences import SentenceParts, in_parts, words
from schemas.tensors import Datatype

InputKind = Literal["image", "tabular", "text", "tensor"]
# Logits of classes, logits of labels that may hold together, probabilities of either, or values.
OutputKind = Literal["classification", "multilabel", "probabilities", "regression"]

Side = Literal["output", "input"]  # of a layer: what it gives, and what it takes

# In memory; out of it, until the next job brings it back; known, and without a worker until one starts for its jobs;
# being loaded for the first time; taken out of service by the operator; not loadable.
ModelStatus = Literal["ready", "idle", "asleep", "loading", "unloaded", "failed"]


AdminAction = Literal["load", "unload"]


class FeatureCard(Forwarded):
    """One column of a table, in its own unit; the model sees `(value - mean) / std`."""

    name: str
    mean: float
    std: float
    unit: str | None = None


class InputCard(Forwarded):
    """What one example looks like to the model. `shapes` leave the batch dimension out."""

    kind: InputKind
    shapes: list[list[int]]  # image: [[C, H, W]], tabular: [[F]], text: [[max_tokens]], tensor: as given
    datatype: Datatype = "FP32"
    preprocessing: Preprocessing | None = None  # image: from a picture to its pixels of that size
    vocabularies: list[int | None] | None = None  # of inputs that are ids: they run from 0 to below it; None: not known
    features: list[FeatureCard] | None = None  # tabular
    max_tokens: int | None = None  # text


class OutputCard(Forwarded):
    """`shape` is that of one example's output: `[]` a number, `[classes]`, or `[classes, height, width]` and the like,
    whose targets name a class and a position."""

    kind: OutputKind
    kind_reason: str | None = None  # how the kind was found where the model's description does not give it
    size: int  # classes, or other outputs; 1 for a scalar regression
    shape: list[int]
    labels: list[str] | None = None


class LayerCard(Forwarded):
    """A module by its path in `named_modules`; shapes leave the batch dimension out."""

    name: str
    type: str
    output_shape: list[int] | None = None  # None where the output is not one tensor
    grid: list[int] | None = None  # rows and columns that its tokens make on the picture, of an image transformer
    calls: int = 1  # how often one forward calls it
    refused: str | None = None  # why no method can use this layer
    input_refused: str | None = None  # why its input cannot be explained, by `attribute_to_layer_input`
    output_refused: str | None = None  # why nothing but its input can be, by `attribute_to_layer_input`
    no_gradient: list[Side] = Field(default_factory=list)  # sides to which none leads from the model's outputs
    no_gradient_to_input: list[Side] = Field(default_factory=list)  # sides from which none leads to the model's inputs
    no_relu_before: list[Side] = Field(default_factory=list)  # sides on whose units guided methods are the gradient


class MethodSupport(Forwarded):
    name: str
    supported: bool
    reason: str | None = None  # why not
    parts: SkipJsonSchema[SentenceParts | None] = Field(  # of the reason, in the store; not shown to clients
        default=None, exclude_if=lambda parts: parts is None
    )
    # Why its jobs have the model to themselves, while on other models they share passes with other jobs.
    solo_reason: str | None = None

    @classmethod
    def of(cls, name: str, reason: str | None) -> "MethodSupport":
        """The support of a method; `reason` is None where the model supports it."""
        parts = None if reason is None else SentenceParts.of(words(reason))
        return cls(name=name, supported=reason is None, reason=reason, parts=parts)

    @property
    def objection(self) -> str | None:
        """The reason, as a `Sentence` where its parts are stored."""
        return None if self.reason is None else in_parts(self.reason, self.parts)


class Defaults(Forwarded):
    """What a request gets that names no method, baseline or layer."""

    method: str
    baseline: BaselineName
    shap_baseline: BaselineName  # "background" where the model has a background set
    layer: str | None = None


class Residence(Forwarded):
    """A model at one worker."""

    worker: str
    status: ModelStatus
    error: str | None = None  # why it, or what its folder holds now, failed to load
    bytes: int | None = None  # that it takes in memory, as measured when it was last loaded
    loads: int = 0
    evictions: int = 0
    last_used_at: str | None = None


class DialectNames(Forwarded):
    """Names that a model has in other systems' protocols."""

    vertex_endpoint: str | None = None  # of Vertex AI, such as "1234567890"


class ModelCard(Forwarded):
    name: str
    version: str
    status: ModelStatus
    error: str | None = None  # why it failed to load
    residence: list[Residence] = Field(default_factory=list)  # by worker, of those alive
    digest: str | None = None  # "sha256:…" over weights and configuration
    description: dict[str, str] = Field(default_factory=dict)  # by language, "en" and "es"
    license: str | None = None
    input: InputCard | None = None
    output: OutputCard | None = None
    layers: list[LayerCard] = Field(default_factory=list)
    methods: list[MethodSupport] = Field(default_factory=list)
    baselines: list[BaselineName] = Field(default_factory=list)  # those that mean something for this input
    background_rows: int = 0
    defaults: Defaults | None = None
    batch_rows: int | None = None  # the engine's batch size
    device: str | None = None
    execution: Literal["packed", "alone"] = "packed"  # alone: one row per pass
    execution_reason: str | None = None  # why alone
    precision: PassPrecision | None = None  # of shared passes
    start_s: float | None = Field(
        default=None,
        description="Seconds from the start of a worker until it takes this model's jobs, as last measured.",
    )
    dialects: DialectNames = DialectNames()


class ModelState(Record):
    """The part of a card that changes while the service runs."""

    name: str
    version: str
    status: ModelStatus
    error: str | None = None
    residence: list[Residence] = Field(default_factory=list)


class AdminCommandStatus(Record):
    """An admin command, and the models that it is about. `done`: every live worker has executed it."""

    action: AdminAction
    model: str
    version: str | None = Field(description="None: every version.")
    done: bool
    models: list[ModelState]
