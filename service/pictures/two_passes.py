"""How Pillow scales a picture: in two passes, with 8 bits between them; each pass scales along one axis.

So a picture can be scaled strip by strip to exactly the pixels of one resize, if the passes come in the same order.
"""

import math
import struct
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from schemas.picture_view import PictureView
from schemas.pictures import Picture
from service.tuning import EXACT_CANVAS_BYTES, STRIP_PIXELS

REACH: Final = {"nearest": 0, "box": 0.5, "bilinear": 1, "hamming": 1, "bicubic": 2, "lanczos": 3}  # Pillow's filters
TRANSPOSED: Final = {1: 5, 2: 8, 3: 7, 4: 6, 5: 1, 6: 4, 7: 3, 8: 2}  # EXIF orientations
COPIES: Final = 8  # of a strip: cut out, turned, with alpha, white, laid on it, as RGB, scaled; 16-bit grey as float
PIXEL_BYTES: Final = 4  # of RGB in Pillow's memory
WEIGHT_BYTES: Final = 8

Four = tuple[float, float, float, float]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TwoPasses:
    """The scaling of a picture, (width, height) = `size`, whose rows are scaled first, and of which `kept` is kept.

    If columns come first, all of this is of the transposed picture.
    """

    size: tuple[int, int]
    scaled: tuple[int, int]
    box: Four
    kept: Box
    reach: float
    transposed: bool
    shown: Picture

    @classmethod
    def of(
        cls,
        view: PictureView,
        full_size: tuple[int, int],
        reduction: int = 1,
        reversed_axes: tuple[bool, bool] = (False, False),
    ) -> "TwoPasses":
        """The passes by which a picture of this size is scaled to a model's view.

        Args:
            reduction: the factor by which the sides of the decoded picture are smaller, rounded up.
            reversed_axes: whether columns and rows have been reversed, so that the part of a pixel by which the decoded
                picture is larger comes first.
        """
        scaling = view.scaling(full_size)
        size = -(-full_size[0] // reduction), -(-full_size[1] // reduction)
        surplus = [side - full / reduction for side, full in zip(size, full_size, strict=True)]
        first = [part if is_reversed else 0.0 for part, is_reversed in zip(surplus, reversed_axes, strict=True)]
        box = [edge / reduction + first[axis % 2] for axis, edge in enumerate(scaling.box)]
        left, top, right, bottom = struct.unpack("4f", struct.pack("4f", *box))  # as Pillow rounds it
        kept, reach, shown = scaling.kept, REACH[view.how.interpolation], scaling.shown
        if not _columns_first(size, scaling.size):
            return cls(size, scaling.size, (left, top, right, bottom), kept, reach, False, shown)
        turned = kept[1], kept[0], kept[3], kept[2]
        return cls(size[::-1], scaling.size[::-1], (top, left, bottom, right), turned, reach, True, shown)

    @property
    def rows(self) -> range:
        """The rows of the picture that the filter of the second pass sees."""
        top, bottom = self.box[1], self.box[3]
        beyond = self.reach * max(1.0, (bottom - top) / self.scaled[1]) + 2
        return range(max(0, math.floor(top - beyond)), min(self.size[1], math.ceil(bottom + beyond)))

    @property
    def canvas_origin(self) -> int:
        """The first row of the picture that has a place in memory between the passes.

        0, so that the filter's weights are exactly those of one resize. Of a very long picture, memory holds only the
        rows needed, and a weight may differ in its last bit.
        """
        whole = self.kept_width * self.size[1] * PIXEL_BYTES
        return self.rows.start if whole > EXACT_CANVAS_BYTES else 0

    @property
    def kept_width(self) -> int:
        return self.kept[2] - self.kept[0]

    @property
    def longest_row(self) -> int:
        """The pixels of a row, before or after the first pass."""
        return max(self.size[0], self.scaled[0])

    @property
    def working_bytes(self) -> int:
        """The most memory that both passes take at a time, besides the decoded picture."""
        strip = COPIES * PIXEL_BYTES * self.longest_row * min(self.size[1], max(1, STRIP_PIXELS // self.longest_row))
        canvas = self.kept_width * (self.size[1] - self.canvas_origin) * PIXEL_BYTES
        seen = self.kept_width * (self.scaled[1] + 2 * (self.kept[3] - self.kept[1])) * PIXEL_BYTES
        weights = (2 * self.reach + 3) * (self.longest_row + max(self.size[1], self.scaled[1])) * WEIGHT_BYTES
        return math.ceil(strip + canvas + seen + weights)


def _columns_first(size: tuple[int, int], scaled: tuple[int, int]) -> bool:
    """Whether Pillow scales along columns first."""
    shorter, narrower = size[1] - scaled[1], size[0] - scaled[0]
    return shorter > 0 and 2 * narrower < shorter and _order_depends_on_sizes()


@cache
def _order_depends_on_sizes() -> bool:
    """Whether this Pillow has two orders, as from release 13 on: tried on a picture that it scales by columns first."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 16, 3), dtype=np.uint8))
    by_rows = picture.resize((12, 64), Image.Resampling.BICUBIC).resize((12, 20), Image.Resampling.BICUBIC)
    return by_rows.tobytes() != picture.resize((12, 20), Image.Resampling.BICUBIC).tobytes()
