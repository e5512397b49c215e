"""How many windows, features, orders, units, baselines and tokens a request is about. Pure."""

from math import factorial, prod

import numpy as np

from schemas.errors import InvalidRequest
from schemas.fields import BaselineMethod, FeatureMethod, Grid, Superpixels
from schemas.limits import MAX_ROWS_PER_JOB
from schemas.methods import LayerFeatureAblation, LayerFeaturePermutation, Occlusion
from service.validation.inputs import CheckedInput
from service.validation.layers import explained_shape, find_layer, follows_the_text
from service.validation.masks import given_masks
from service.validation.model import ReadyModel
from service.validation.tensors import Array
from service.validation.windows import count_windows, per_input

SPECIAL_TOKENS = 2


def windows(method: Occlusion, model: ReadyModel, given: CheckedInput) -> int:
    """Positions of the window over one example."""
    shapes = [[tokens(model, given)]] if given.kind == "text" else model.input.shapes
    windows_ = per_input(method.sliding_window_shapes or [], len(shapes))
    strides = per_input(method.strides or method.sliding_window_shapes or [], len(shapes))
    return sum(
        count_windows(shape, _clipped(window, shape), stride)
        for shape, window, stride in zip(shapes, windows_, strides, strict=True)
    )


def features(method: FeatureMethod, model: ReadyModel, given: CheckedInput, arrays: dict[str, Array]) -> int:
    """Features of the example that has most; the same number in several inputs is one feature."""
    masks = given_masks(arrays)
    if masks:  # numbered without gaps, see `service.validation.numbering`
        return int(max(mask.max() for mask in masks)) + 1
    return _unmasked(method, model, given)


def orders(count: int) -> int:
    """The orders that so many features can be put in.

    Raises:
        InvalidRequest: no job has room for so many; says for how many features one has.
    """
    most = _most_ordered()
    if count > most:
        raise InvalidRequest.at(
            ["method", "feature_mask"],
            f"{count} features have {count}! orders of {count} model rows each; "
            f"at most {most} features fit into the {MAX_ROWS_PER_JOB} rows of one job",
        )
    return factorial(count)


def units(
    method: LayerFeatureAblation | LayerFeaturePermutation,
    model: ReadyModel,
    given: CheckedInput,
    arrays: dict[str, Array],
) -> int:
    """Units of the layer, or groups of them.

    Raises:
        InvalidRequest: there is no mask, and the card does not tell how many units there are.
    """
    mask = arrays.get("layer_mask.0")
    if mask is not None:
        return int(np.unique(mask).size)
    layer = find_layer(method, model)
    shape = explained_shape(method, layer) if layer is not None else None
    if shape is None:
        raise InvalidRequest.at(["method", "layer_mask"], "the model's card does not tell the shape here: give a mask")
    if follows_the_text(model, shape):
        return tokens(model, given) * prod(shape[1:])
    return prod(shape)


def baselines(method: BaselineMethod, model: ReadyModel, given: CheckedInput, arrays: dict[str, Array]) -> int:
    """Rows of the distribution of baselines; a named baseline is one per example."""
    rows = arrays.get("baseline.0")
    if rows is not None:
        return len(rows)
    return model.card.background_rows if method.baseline == "background" else given.examples


def tokens(model: ReadyModel, given: CheckedInput) -> int:
    """At most one token per character, and never more than the model takes."""
    return min(model.input.max_tokens or given.text_chars, given.text_chars + SPECIAL_TOKENS)


def _unmasked(method: FeatureMethod, model: ReadyModel, given: CheckedInput) -> int:
    if isinstance(method.feature_mask, Grid):
        return prod(method.feature_mask.grid)
    if isinstance(method.feature_mask, Superpixels):
        return method.feature_mask.superpixels
    return tokens(model, given) if given.kind == "text" else sum(map(prod, model.input.shapes))


def _most_ordered() -> int:
    count = 1
    while factorial(count + 1) * (count + 1) <= MAX_ROWS_PER_JOB:
        count += 1
    return count


def _clipped(window: list[int], shape: list[int]) -> list[int]:
    return [min(w, extent) for w, extent in zip(window, shape, strict=True)]
