"""What the tests of pictures share."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pixels(png: bytes) -> NDArray[np.uint8]:
    """A decoded PNG, (H, W, 3)."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def photograph(width: int, height: int) -> Image.Image:
    """Smooth colours, different everywhere."""
    down, across = np.mgrid[0:height, 0:width]
    channels = (60 + 130 * across / width, 60 + 130 * down / height, 80 + 90 * (across + down) / (width + height))
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def delta(height: int, width: int, row: int, column: int, value: float = 1.0) -> NDArray[np.float32]:
    """(1, 3, height, width), zero but for one pixel."""
    attribution = np.zeros((1, 3, height, width), dtype=np.float32)
    attribution[:, :, row, column] = value
    return attribution


def centroid(weights: NDArray[np.floating]) -> tuple[float, float]:
    """x and y, where the first pixel's centre is 0.5."""
    down, across = np.mgrid[0 : weights.shape[0], 0 : weights.shape[1]] + 0.5
    total = weights.sum(dtype=float)
    return float((across * weights).sum() / total), float((down * weights).sum() / total)
