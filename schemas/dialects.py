"""Documents of other systems' protocols, as the service sends them."""

from typing import Any, Literal

from pydantic import Field

from schemas.base import Record


class DialectError(Record):
    """An error of the Open Inference Protocol, and of KServe's v1."""

    error: str


class V2Server(Record):
    """The server's metadata."""

    name: str
    version: str
    extensions: list[str]


class V2Live(Record):
    live: bool


class V2Ready(Record):
    ready: bool


class V2TensorMetadata(Record):
    """An input or output; -1 stands for any number of examples."""

    name: str
    datatype: str
    shape: list[int]


class V2Model(Record):
    """A model's metadata."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[V2TensorMetadata]
    outputs: list[V2TensorMetadata]


class V2ModelReady(Record):
    name: str
    ready: bool


class V2Output(Record):
    """A tensor of an answer, as numbers nested like its shape, or as texts."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any]


class V2Answer(Record):
    """The answer to `infer` and `explain`."""

    id: str
    model_name: str
    model_version: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    outputs: list[V2Output]


class V1Model(Record):
    """Whether a model takes requests, as KServe's v1 says it."""

    name: str
    ready: bool


class V1Answer(Record):
    """The answer to KServe's v1 `:explain`, one entry for each instance."""

    predictions: list[Any]
    explanations: list[Any]


class TorchServeError(Record):
    """An error as TorchServe sends it."""

    code: int
    type: str
    message: str


class VertexStatus(Record):
    """What is wrong, by the codes of Google's APIs."""

    code: int
    message: str
    status: str
    details: list[dict[str, Any]] = Field(default_factory=list)


class VertexError(Record):
    """An error as Google's APIs send it."""

    error: VertexStatus


class VertexAttribution(Record):
    """The attributions of one instance for one output."""

    baseline_output_value: float | None = Field(default=None, serialization_alias="baselineOutputValue")
    instance_output_value: float | None = Field(default=None, serialization_alias="instanceOutputValue")
    feature_attributions: dict[str, Any] = Field(serialization_alias="featureAttributions")
    output_index: list[int] = Field(serialization_alias="outputIndex")
    output_display_name: str = Field(default="", serialization_alias="outputDisplayName")
    approximation_error: float | None = Field(default=None, serialization_alias="approximationError")
    output_name: str = Field(default="output", serialization_alias="outputName")


class VertexExplanation(Record):
    """One instance: an attribution for each output that is explained, the highest first."""

    attributions: list[VertexAttribution]


class VertexAnswer(Record):
    """The answer to Vertex's `:explain`, one entry for each instance."""

    explanations: list[VertexExplanation]
    deployed_model_id: str = Field(serialization_alias="deployedModelId")
    predictions: list[Any]


class VertexDeployedModel(Record):
    id: str
    model: str
    display_name: str = Field(serialization_alias="displayName")


class VertexEndpoint(Record):
    """An endpoint, which has one model."""

    name: str
    display_name: str = Field(serialization_alias="displayName")
    deployed_models: list[VertexDeployedModel] = Field(serialization_alias="deployedModels")


class V2Tensor(Record):
    """An input of the Open Inference Protocol. With `binary_data_size` in `parameters`, `data` follows the JSON."""

    name: str = ""
    datatype: Literal[
        "BOOL", "UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
    ]
    shape: list[int]
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class V2Request(Record):
    """A request of the Open Inference Protocol."""

    id: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: list[V2Tensor]
    outputs: list[dict[str, Any]] | None = None
