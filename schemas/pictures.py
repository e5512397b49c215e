"""How a model's pictures are prepared, and which part of one it saw."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Record

Resize = Literal["crop", "stretch"]
Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


class Preprocessing(Record):
    """From a picture of any size to the pixels that the model sees; carried out by `schemas.picture_view`."""

    resize: Resize = "crop"  # of a picture that is scaled in one step: its centre, or the whole of it
    resize_to: int | list[int] | None = None  # pixels, the short side or [height, width]; the centre is cut out of that
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0  # of the short side that the centre crop covers
    interpolation: Interpolation = "bilinear"


class Picture(Record):
    """What the model saw of the picture sent: `[left, top, right, bottom]` in its pixels, orientation applied."""

    crop: list[float]
    width: int
    height: int
