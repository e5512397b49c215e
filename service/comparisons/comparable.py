"""Attributions in a form in which those of several methods can be laid over one input. Pure."""

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.results import FeatureScore, ResultMeta, TextScore
from service.results.formats import attribution
from service.tuning import MAX_COMPARED_ELEMENTS, MAX_COMPARED_SIDE

Values = NDArray[np.float64]
Kind = Hashable


@dataclass(frozen=True, slots=True)
class Comparable:
    """The signed attributions of one job.

    `input_kind` is equal for jobs whose attributions lie over one input: a part of a picture, the words of a text, the
    columns of a table. `values` is (examples, height, width) for maps, which may differ in size, else (examples,
    elements).
    """

    input_kind: Kind
    values: Values


def comparable(meta: ResultMeta, tensors: bytes | bytearray) -> Comparable | None:
    """The attributions of a result; None if they do not lie over the input, as those of a layer without places.

    Raises:
        JobHasNoResult: the stored result is damaged.
    """
    if meta.words is not None:
        return _scores("words", meta.words, [[(one.start, one.end) for one in row] for row in meta.words])
    if meta.features is not None:
        return _scores("columns", meta.features, [[one.name for one in row] for row in meta.features])
    stored = attribution(meta, tensors)
    if stored.ndim == 4 and stored.size:
        side = min(MAX_COMPARED_SIDE, math.isqrt(MAX_COMPARED_ELEMENTS // len(stored)))
        part = tuple(meta.picture.crop) if meta.picture else None
        return Comparable(("map", part, len(stored)), np.stack([_map(one, side) for one in stored]))
    if meta.layer is not None or len(meta.attributions) != 1 or stored.ndim < 2:
        return None
    if not 0 < stored.size <= MAX_COMPARED_ELEMENTS:
        return None
    return Comparable(("tensor", stored.shape), stored.reshape(len(stored), -1).astype(np.float64))


def at_size(values: Values, size: tuple[int, int]) -> Values:
    """Maps (examples, height, width) enlarged to this height and width, as one row of elements per example."""
    if values.shape[1:] == size:
        return values.reshape(len(values), -1)
    enlarged = [_resized(one, size, Image.Resampling.BILINEAR) for one in values]
    return np.stack(enlarged).reshape(len(values), -1)


def _scores(
    kind: str,
    rows: list[list[TextScore]] | list[list[FeatureScore]],
    names: list[list[tuple[int, int]]] | list[list[str]],
) -> Comparable | None:
    if len({len(row) for row in rows}) != 1 or not 0 < len(rows) * len(rows[0]) <= MAX_COMPARED_ELEMENTS:
        return None
    key = (kind, tuple(tuple(row) for row in names))
    return Comparable(key, np.array([[one.score for one in row] for row in rows], dtype=np.float64))


def _map(channels: NDArray[np.generic], side: int) -> Values:
    """The sum over channels, (C, H, W) -> (H, W), averaged down to `side` elements; relative to its largest value,
    because no figure depends on the unit."""
    total = np.zeros(channels.shape[1:])
    largest = max(abs(float(channels.max())), abs(float(channels.min()))) or 1.0
    for channel in channels:  # one at a time bounds the memory: a layer may have a thousand channels
        total += np.asarray(channel, dtype=np.float64) / largest
    height, width = channels.shape[-2:]
    if max(height, width) <= side:
        return total
    return _resized(total, (min(height, side), min(width, side)), Image.Resampling.BOX)


def _resized(values: Values, size: tuple[int, int], how: Image.Resampling) -> Values:
    height, width = size
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((width, height), how), dtype=np.float64)
