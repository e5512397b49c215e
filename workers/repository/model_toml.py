"""`model.toml`, the operator's description of a model: its fields, and reading them."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from schemas.base import Strict
from schemas.methods import METHOD_NAMES, METHODS, BaselineName
from schemas.methods.names import canonical_method_name
from schemas.models import OutputKind
from schemas.pictures import Interpolation, Resize
from schemas.precision import Precision
from schemas.requests import ModelName, Version
from workers.repository.field_rules import INPUT_RULES, MODEL_RULES, RuledSection
from workers.repository.mistakes import missing_files, mistakes

Side = Annotated[int, Field(ge=1, le=8192)]
_DTYPES = {"fp32": "float32", "fp64": "float64", "float": "float32", "double": "float64", "long": "int64"}


def _dtype(given: Any) -> Any:
    """Accepts `FP32`, as in requests, and `torch.float32` for `float32`."""
    if not isinstance(given, str):
        return given
    name = given.casefold().removeprefix("torch.")
    return _DTYPES.get(name, name)


Dtype = Annotated[Literal["float32", "float64", "int64", "int32"], BeforeValidator(_dtype)]
LoaderName = Literal["python", "torchscript", "export", "transformers", "timm"]


class ModelConfigError(ValueError):
    """A model's description is missing or wrong. The message names the field."""


class FeatureConfig(Strict):
    name: str
    mean: float = 0.0
    std: Annotated[float, Field(gt=0)] = 1.0
    unit: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


class InputConfig(RuledSection):
    rules = INPUT_RULES

    kind: Literal["image", "tabular", "text", "tensor"]
    dtype: Dtype = "float32"
    # image
    size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None  # height, width in pixels
    mean: list[float] = Field(default=[0.0] * 3)  # per channel, of values in 0..1
    std: list[Annotated[float, Field(gt=0)]] = Field(default=[1.0] * 3)
    resize_to: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None  # see schemas.picture_view
    resize: Resize = "crop"
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0  # of the short side that the centre crop covers
    interpolation: Interpolation = "bilinear"
    # tabular
    features: list[FeatureConfig] | None = None
    # text
    tokenizer: str | None = None  # "file in this folder" or "package:path inside it"
    max_tokens: Annotated[int, Field(ge=4, le=8192)] = 128
    pad_token: str = "[PAD]"  # noqa: S105  # a word piece, not a secret
    # tensor
    shapes: list[list[Side]] | None = None  # without the batch dimension
    pad_id: Annotated[int, Field(ge=0)] | None = None  # of ids: the one of padding, for the baseline `pad`


class OutputConfig(Strict):
    kind: OutputKind | None = None  # None: found at load, see workers.models.probes.output_kind
    field: str | None = None  # the explained tensor of a dict, dataclass or tuple that the model returns
    class_dim: int = 1  # of an output of several dimensions, counted with that of the rows: the one of the classes
    labels: list[str] | str | None = None  # names, or a file of this folder with one per line


class ExplainConfig(Strict):
    method: str = "integrated_gradients"
    baseline: BaselineName | None = None
    layer: str | None = None
    token_grid: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = (
        None  # see workers.models.probes.picture_tokens
    )
    background: str | None = (
        None  # safetensors file with (rows, …) model-ready examples: one tensor, or input.0, input.1, …
    )

    @field_validator("method")
    @classmethod
    def _method_is_known(cls, given: str) -> str:
        name = canonical_method_name(given)
        if name is None:
            close = difflib.get_close_matches(given.casefold(), METHOD_NAMES, n=1)
            raise ValueError(f"unknown method {given!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
        if any(field.is_required() for field in METHODS[name].model_fields.values()):
            raise ValueError(f"method {name!r} has parameters without a default")
        return name


class RuntimeConfig(Strict):
    precision: Precision = "float32"  # of shared passes; see workers.engine.device.tf32


class VertexConfig(Strict):
    endpoint: ModelName | None = None  # under which clients of Vertex AI know the model


class DialectsConfig(Strict):
    vertex: VertexConfig = VertexConfig()


class ModelConfig(RuledSection):
    """One folder of the model repository."""

    rules = MODEL_RULES

    name: ModelName
    version: Version = "1"
    loader: LoaderName = "python"
    factory: str | None = None  # python: "file.py:callable" in this folder, or "package.module:callable"
    weights: str | None = None  # python: safetensors, or .pt read with weights_only
    file: str | None = None  # torchscript, export: the program, a file in this folder
    architecture: str | None = None  # timm: a name of its own
    path: str | None = None  # transformers: the folder that `save_pretrained` wrote, "." for this one
    description: dict[str, str] = Field(default_factory=dict)
    license: str | None = None
    sample: str | None = None
    input: InputConfig
    output: OutputConfig = OutputConfig()
    explain: ExplainConfig = ExplainConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    dialects: DialectsConfig = DialectsConfig()


def read_config(folder: Path) -> ModelConfig:
    """Reads and validates the folder's `model.toml`.

    Raises:
        ModelConfigError: the file is missing, is not TOML, or has invalid fields; the message lists all mistakes.
    """
    try:
        fields = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
        return ModelConfig.model_validate(fields)
    except OSError as error:
        raise ModelConfigError(f"model.toml cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ModelConfigError(f"model.toml is not TOML: {error}") from error
    except ValidationError as error:
        raise ModelConfigError("; ".join(mistakes(ModelConfig, fields, error, folder))) from error


def check_files(config: ModelConfig, folder: Path) -> None:
    """Checks that the named files exist. Separate from `read_config`, so that a folder without them still has a name.

    Raises:
        ModelConfigError: the folder lacks files that its description names; the message names all of them.
    """
    missing = list(missing_files(config.model_dump(exclude_unset=True), folder))
    if missing:
        raise ModelConfigError("; ".join(missing))


def read_labels(config: ModelConfig, folder: Path) -> list[str] | None:
    """Reads the names of the outputs, in order; None where the description has none.

    Raises:
        ModelConfigError: the file cannot be read.
    """
    labels = config.output.labels
    if not isinstance(labels, str):
        return labels
    try:
        return inside(folder, labels).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelConfigError(f"output.labels: {error.strerror}") from error


def shapes(config: InputConfig) -> list[list[int]]:
    """The shapes of one example in model space, without the batch dimension. A text has no fixed shape."""
    if config.kind == "image":
        return [[3, *(config.size or [])]]
    if config.kind == "tabular":
        return [[len(config.features or [])]]
    return config.shapes or []


def inside(folder: Path, name: str) -> Path:
    """The path of a file in the folder.

    Raises:
        ModelConfigError: the name leads out of the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ModelConfigError(f"{name!r} is not inside the model's folder")
    return path
