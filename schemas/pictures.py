"""The preparation of a model's pictures, and the part of a picture that it saw."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Record

Resize = Literal["crop", "stretch"]
Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


class Preprocessing(Record):
    """How a picture of any size becomes the pixels that the model sees; `schemas.picture_view` carries it out."""

    resize: Resize = "crop"  # without `resize_to`: the centre, or the whole picture
    resize_to: int | list[int] | None = None  # pixels: short side or [height, width]; then the centre
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the short side that the centre crop covers
    interpolation: Interpolation = "bilinear"


class Picture(Record):
    """The part of the client's picture that the model saw: `[left, top, right, bottom]` in upright pixels."""

    crop: list[float]
    width: int
    height: int
