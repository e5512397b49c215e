"""What the model saw, at the size of a drawing."""

import numpy as np
from PIL import Image

from service.drawing.colormaps import Pixels
from service.tuning import DRAWN_PIXELS


class View:
    """A picture at the size of a drawing, some rows at a time: an enlarged one is never held as a whole."""

    def __init__(self, picture: Image.Image, size: tuple[int, int]) -> None:
        self._size = size
        area = size[0] * size[1]
        is_enlarged = area > max(DRAWN_PIXELS, picture.width * picture.height)
        self._picture = picture.convert("RGB") if is_enlarged else view_of(picture, size)

    def rows(self, part: slice) -> Pixels:
        """Some rows of it, (rows, W, 3)."""
        width, height = self._size
        if self._picture.size == self._size:
            return np.asarray(self._picture.crop((0, part.start, width, part.stop)))
        down = self._picture.height / height
        box = (0.0, part.start * down, float(self._picture.width), part.stop * down)
        size = (width, part.stop - part.start)
        return np.asarray(self._picture.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0))


def view_of(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at the size of the drawing, in RGB."""
    return picture.convert("RGB").resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
