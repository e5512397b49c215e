"""Converts an attribution tensor to a map of strengths over the picture."""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.drawing.overlay_options import OverlayOptions, Sign
from service.tuning import MAX_MAP_SIDE

Map = NDArray[np.float64]  # (H, W)
Strength = NDArray[np.float32]  # (H, W), 0..1, or -1..1 if both signs are drawn


@dataclass(frozen=True, slots=True)
class ColorScale:
    """What the strongest colour of a map stands for.

    `limit` is the attribution of one element of the smoothed map that has strength 1; it is 0 for a map of zeros.
    `clipped_low` and `clipped_high`: whether elements below `-limit` and above `limit` exist.
    """

    limit: float
    clipped_low: bool
    clipped_high: bool


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A map of strengths, and its scale. It is enlarged to `size`, (width, height), only where it is drawn."""

    elements: Image.Image  # strengths, of Pillow's mode F
    size: tuple[int, int]
    sign: Sign
    scale: ColorScale

    @property
    def limit(self) -> float:
        """That of the scale."""
        return self.scale.limit

    @property
    def strength(self) -> Strength:
        """All strengths at the size of the drawing."""
        return self.rows(slice(0, self.size[1]))

    def rows(self, part: slice) -> Strength:
        """The strengths of some rows of the drawing, (rows, W), bicubic: an element covers the same part of the drawing
        and the map."""
        down = self.elements.height / self.size[1]
        box = (0.0, part.start * down, float(self.elements.width), part.stop * down)
        size = (self.size[0], part.stop - part.start)
        enlarged: Strength = np.array(self.elements.resize(size, Image.Resampling.BICUBIC, box=box))
        return np.clip(enlarged, -1 if self.sign == "all" else 0, 1, out=enlarged)


def heat_map(attribution: NDArray[np.generic], options: OverlayOptions, size: tuple[int, int]) -> HeatMap:
    """Sum channels, smooth, select the sign, scale.

    As in Captum's `visualization.visualize_image_attr`, channels are summed before the sign is selected. Smoothing
    comes between the two steps, so that the positive and the negative map are the two halves of the signed map, and
    signs that alternate from pixel to pixel cancel. The absolute map smooths the absolute values, so it shows where
    attribution is dense, whatever its sign. Strength 1 is the given percentile of the values (as in SmoothGrad,
    arXiv:1706.03825, section 3.1), or `options.limit`.

    Args:
        attribution: one example, finite: (1, C, H, W), (C, H, W) or (H, W); of the input or of a layer.
        size: width and height of the drawing in pixels; the map covers all of it.

    Raises:
        ValueError: the attribution has another shape, is empty, or holds more than one example.
    """
    values, scale = _sum_channels(attribution)
    values = _shrink(np.abs(values) if options.sign == "absolute" else values)
    values = _select(_smooth(values, options.smoothing, size), options.sign)
    limit = _limit(np.abs(values), options, scale)
    beyond = limit * (1 + 1e-9)
    with np.errstate(over="ignore"):  # a limit far below the values overflows to infinity, then is clipped
        strength = np.clip(values / limit, -1, 1)
    colors = ColorScale(
        limit=options.limit or min(limit * scale, sys.float_info.max),
        clipped_low=bool(values.min() < -beyond),
        clipped_high=bool(values.max() > beyond),
    )
    return HeatMap(Image.fromarray(strength.astype(np.float32)), size, options.sign, colors)


def map_size(attribution: NDArray[np.generic]) -> tuple[int, int]:
    """Width and height of the map in elements.

    Raises:
        ValueError: as `heat_map`.
    """
    height, width = _one_example(attribution).shape[1:]
    return width, height


def _one_example(attribution: NDArray[np.generic]) -> NDArray[np.generic]:
    """The attribution as (C, H, W)."""
    shape = attribution.shape
    if attribution.size == 0 or not 2 <= len(shape) <= 4 or (len(shape) == 4 and shape[0] != 1):
        raise ValueError(f"an attribution of shape {list(shape)} is not a map of one picture")
    return attribution.reshape((-1, *shape[-2:]))


def _sum_channels(attribution: NDArray[np.generic]) -> tuple[Map, float]:
    """The sum over channels divided by the largest absolute element, so that no sum overflows; and that divisor."""
    channels = _one_example(attribution)
    scale = max(abs(float(channels.max())), abs(float(channels.min())))
    values: Map = np.zeros(channels.shape[1:])
    if scale > 0:
        for channel in channels:  # one at a time bounds the memory: a layer may have a thousand channels
            values += np.asarray(channel, dtype=np.float64) / scale
    return values, scale


def _select(values: Map, sign: Sign) -> Map:
    """The values of one sign as magnitudes, zero elsewhere; all values for the other signs."""
    if sign == "positive":
        return np.maximum(values, 0)
    if sign == "negative":
        return np.maximum(-values, 0)
    return values


def _shrink(values: Map) -> Map:
    """The map averaged down to at most `MAX_MAP_SIDE` elements a side."""
    height, width = values.shape
    if max(height, width) <= MAX_MAP_SIDE:
        return values
    image = Image.fromarray(values.astype(np.float32))
    size = (min(width, MAX_MAP_SIDE), min(height, MAX_MAP_SIDE))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float64)


def _smooth(values: Map, fraction: float, size: tuple[int, int]) -> Map:
    """Gaussian smoothing, of equal width in the drawing along both axes, even if the map is stretched over it."""
    sigma = fraction * max(size)  # pixels of the drawing
    height, width = values.shape
    down, across = _gaussian(height, sigma * height / size[1]), _gaussian(width, sigma * width / size[0])
    if down is not None:
        values = down @ values
    return values if across is None else values @ across.T


def _gaussian(length: int, sigma: float) -> Map | None:
    """Weights, (length, length): row i averages the elements around i, with weights that sum to 1 at the edges too.

    None if the Gaussian does not reach the next element.
    """
    if length == 1 or sigma < 0.2:  # below 0.2 elements the next element's weight is under 4e-6
        return None
    at = np.arange(length)
    weights: Map = np.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _limit(magnitude: Map, options: OverlayOptions, scale: float) -> float:
    """The magnitude that gets strength 1, in units of `scale`; above 0."""
    if options.limit is not None:
        limit = options.limit / scale if scale else 1.0
    else:  # the percentile is 0 if few elements differ from 0: then the largest magnitude
        limit = float(np.percentile(magnitude, options.percentile)) or float(magnitude.max()) or 1.0
    return max(limit, sys.float_info.min)
