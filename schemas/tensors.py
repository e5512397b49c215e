"""Tensors on the wire, as in the Open Inference Protocol: name, datatype, shape, row-major data."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from schemas.base import Record, Strict
from schemas.limits import MAX_INPUT_TENSORS, MAX_TENSOR_ELEMENTS, MAX_TENSOR_RANK
from schemas.nested import flattened
from schemas.sentences import Sentence

Datatype = Literal["BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64"]

NUMPY_DTYPES: dict[Datatype, str] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
DATATYPES: dict[str, Datatype] = {dtype: name for name, dtype in NUMPY_DTYPES.items()}

Dimension = Annotated[int, Field(ge=1, le=MAX_TENSOR_ELEMENTS)]
Shape = Annotated[list[Dimension], Field(min_length=1, max_length=MAX_TENSOR_RANK)]


def _flat(value: Any, info: ValidationInfo) -> Any:
    return flattened(value, info.data.get("shape"))


Data = Annotated[
    list[float],
    Field(
        max_length=MAX_TENSOR_ELEMENTS,
        description="Row-major, one number per element: flat, or nested like the shape.",
    ),
    BeforeValidator(_flat),
]


class TensorSpec(Record):
    """A tensor without its values. In results a dimension may have any size that a layer produces."""

    name: str
    datatype: Datatype
    shape: list[int]


class Tensor(Strict):
    """A whole tensor. `data` is row-major, one number per element: flat, or nested like the shape."""

    name: str = Field(default="input", max_length=200)
    datatype: Datatype = "FP32"
    shape: Shape
    data: Data

    @model_validator(mode="after")
    def _shape_multiplies_out(self, info: ValidationInfo) -> Self:
        elements = math.prod(self.shape)
        if elements > MAX_TENSOR_ELEMENTS:
            raise ValueError(
                Sentence(
                    "shape {shape} has {elements} elements, at most {most} are accepted",
                    shape=self.shape,
                    elements=elements,
                    most=MAX_TENSOR_ELEMENTS,
                )
            )
        # With `context={"stored": True}` `data` may be empty: the job store holds the values in binary form.
        stored = bool(info.context and info.context.get("stored"))
        if stored and not self.data:
            return self
        if len(self.data) != elements:
            raise ValueError(
                Sentence(
                    "shape {shape} needs {elements} numbers, data holds {given}",
                    shape=self.shape,
                    elements=elements,
                    given=len(self.data),
                )
            )
        return self


class TensorValue(Strict):
    """A parameter given as a tensor, such as a baseline or a feature mask."""

    tensor: Tensor

    @property
    def each(self) -> list[Tensor]:
        return [self.tensor]


class TensorValues(Strict):
    """A parameter given as one tensor per input of the model."""

    tensors: Annotated[list[Tensor], Field(min_length=1, max_length=MAX_INPUT_TENSORS)]

    @property
    def each(self) -> list[Tensor]:
        return self.tensors


class InputBaselines(Strict):
    """A baseline per input of the model: a tensor, or zero everywhere."""

    tensors: Annotated[list[Tensor | Literal["zero"]], Field(min_length=1, max_length=MAX_INPUT_TENSORS)]

    @property
    def each(self) -> list[Tensor | Literal["zero"]]:
        return self.tensors


GivenTensors = TensorValue | TensorValues | InputBaselines
