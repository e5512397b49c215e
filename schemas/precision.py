"""The precision of shared passes, and what it costs."""

from typing import Literal

from pydantic import Field

from schemas.base import Record

Precision = Literal["float32", "tf32", "float16", "bfloat16"]


class PassPrecision(Record):
    """`float32` stands for the model's own precision, which is what passes use unless its operator says otherwise."""

    name: Precision = "float32"
    gradient_error: float | None = Field(
        default=None,
        description="Of input gradients in a reduced precision, against float64, as a relative L2 norm over inputs "
        "drawn around a sample. Null for float32, and where the model cannot be run in float64.",
    )
