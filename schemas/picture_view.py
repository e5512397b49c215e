"""Scales and crops a picture to the pixels that a model sees, by the model's card.

The gateway prepares pictures with this code. A worker runs it only when it loads a model, to check that it equals the
model's own image processor.
"""

import math
from dataclasses import dataclass

from PIL import Image

from schemas.limits import MAX_IMAGE_PIXELS
from schemas.models import InputCard
from schemas.pictures import Picture, Preprocessing

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the picture


@dataclass(frozen=True, slots=True)
class Scaling:
    """One resize and one crop: `box` of a picture is scaled to `size`, (width, height), of which `kept` is the view.

    `shown`: the part of the picture that the view shows.
    """

    size: tuple[int, int]
    box: Box
    kept: tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the scaled picture
    shown: Picture


@dataclass(frozen=True, slots=True)
class PictureView:
    """The scaling and cropping of pictures of any size to one model's input size, before values are normalised."""

    height: int
    width: int
    how: Preprocessing

    @classmethod
    def of(cls, card: InputCard) -> "PictureView":
        """The view of a model whose input is a picture: `card.shapes` is `[[3, H, W]]`."""
        _, height, width = card.shapes[0]
        return cls(height, width, card.preprocessing or Preprocessing())

    def apply(self, picture: Image.Image) -> tuple[Image.Image, Picture]:
        """The picture scaled and cropped to (H, W), and the part of it that is shown.

        Without `resize_to`, the picture is cropped first, at exact edges. With it, the whole picture is scaled first
        and cropped at whole pixels, as torchvision and transformers do.
        """
        scaling = self.scaling(picture.size)
        scaled = picture.resize(scaling.size, self.resampling, box=scaling.box)
        return scaled.crop(scaling.kept), scaling.shown

    @property
    def resampling(self) -> Image.Resampling:
        return Image.Resampling[self.how.interpolation.upper()]

    def scaling(self, picture: tuple[int, int]) -> Scaling:
        """How a picture of this width and height is scaled and cropped."""
        width, height = picture
        size, whole = (self.width, self.height), (0, 0, self.width, self.height)
        scaled = self._scaled(picture)
        if scaled is None:
            box = self._box(width, height)
            return Scaling(size, box, whole, _picture(picture, box))
        left, top = (scaled[0] - self.width) // 2, (scaled[1] - self.height) // 2
        across, down = width / scaled[0], height / scaled[1]
        box = (left * across, top * down, (left + self.width) * across, (top + self.height) * down)
        shown = _picture(picture, box)
        if math.prod(scaled) > MAX_IMAGE_PIXELS:  # a long, thin picture: scale only the part shown
            return Scaling(size, box, whole, shown)
        kept = (left, top, left + self.width, top + self.height)
        return Scaling(scaled, (0.0, 0.0, float(width), float(height)), kept, shown)

    def pixels_to_write(self, size: tuple[int, int]) -> int:
        """The number of pixels that `apply` writes for a picture of this width and height."""
        scaled = math.prod(self._scaled(size) or (0,))
        return max(scaled if scaled <= MAX_IMAGE_PIXELS else 0, self.height * self.width)

    def _scaled(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Width and height of the whole picture after scaling by `resize_to`, its short side or [height, width]."""
        to = self.how.resize_to
        if to is None:
            return None
        if isinstance(to, list):
            return to[1], to[0]
        short, long = sorted(size)
        length = int(to * long / short)
        return (to, length) if size[0] <= size[1] else (length, to)

    def _box(self, width: int, height: int) -> Box:
        """The part of the picture that is cropped before scaling."""
        if self.how.resize == "stretch":
            return 0.0, 0.0, float(width), float(height)
        scale = min(width / self.width, height / self.height) * self.how.crop_fraction
        across, down = self.width * scale, self.height * scale
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down


def _picture(size: tuple[int, int], box: Box) -> Picture:
    return Picture(crop=list(box), width=size[0], height=size[1])
