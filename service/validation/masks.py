"""Checks feature masks, which say which elements of the input form one feature."""

from math import prod
from typing import Any

import numpy as np

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, FeatureMethod, Grid, Superpixels
from schemas.sentences import Sentence
from schemas.tensors import Tensor, TensorValue, TensorValues
from service.tuning import MAX_MASK_FEATURES
from service.validation.baselines import input_shapes, located
from service.validation.model import ReadyModel
from service.validation.numbering import numbered_densely
from service.validation.tensors import Array, Location, check_shape, tensor_array


def mask_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The grid to fill in for a picture.

    Raises:
        InvalidRequest: a grid or superpixels for another kind of input, or a grid finer than the picture.
    """
    if not isinstance(method, FeatureMethod) or isinstance(method.feature_mask, TensorValue | TensorValues):
        return {}
    given = method.feature_mask
    if isinstance(given, str) and model.input.kind != "text":
        raise InvalidRequest.at(
            ["method", "feature_mask"], Sentence("{given} exist only for models that take text", given=given)
        )
    if isinstance(given, Grid | Superpixels) and model.input.kind != "image":
        kind = "grid" if isinstance(given, Grid) else "superpixels"
        raise InvalidRequest.at(["method", "feature_mask", kind], "exists only for models that take images")
    if model.input.kind != "image" or isinstance(given, Superpixels):
        return {}
    sides = model.input.shapes[0][-2:]  # height, width in pixels
    if method.feature_mask is None:
        cells = method.default_grid
        return {"feature_mask": Grid(grid=[min(cells, side) for side in sides])}
    for index, (cells, side) in enumerate(zip(given.grid if isinstance(given, Grid) else [], sides, strict=False)):
        if cells > side:
            raise InvalidRequest.at(
                ["method", "feature_mask", "grid", index],
                Sentence("finer than the picture, which has {side} pixels here", side=side),
            )
    return {}


def mask_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """Masks given as tensors, one per input, (1 or examples, …) int64, by their names in the payload.

    The features of each example are numbered without gaps, because perturbation methods visit every number.

    Raises:
        InvalidRequest: the model takes no mask, or the number, shape or values of the masks do not fit.
    """
    given = method.feature_mask if isinstance(method, FeatureMethod) else None
    if not isinstance(given, TensorValue | TensorValues):
        return {}
    loc: Location = ["method", "feature_mask"]
    # Permutation exchanges a feature between examples, so all examples need the same mask.
    rows = (1,) if method.permutes else (1, examples)
    masks = []
    for (tensor, at), shape in zip(located(given, loc), input_shapes(given, model, loc), strict=True):
        check_shape(tensor.shape, shape, rows, at)
        masks.append(mask_array(tensor, at))
    return {f"feature_mask.{index}": mask for index, mask in enumerate(numbered_densely(masks))}


def given_masks(arrays: dict[str, Array]) -> list[Array]:
    """The masks among a request's tensors, in the order of the model's inputs; empty if the request has none."""
    return [array for name, array in arrays.items() if name.startswith("feature_mask.")]


def check_features(method: AnyMethod, model: ReadyModel, arrays: dict[str, Array]) -> None:
    """Check that each example has enough features for the method.

    Raises:
        InvalidRequest: the method is not defined for so few.
    """
    if not isinstance(method, FeatureMethod):
        return
    masks = given_masks(arrays)
    if masks:
        features = _fewest(masks)
    elif isinstance(method.feature_mask, Grid):
        features = prod(method.feature_mask.grid)
    else:
        features = sum(map(prod, model.input.shapes))
    objection = method.objection_to(features)
    if objection is not None:
        raise InvalidRequest.at(["method", "feature_mask"], objection)


def _fewest(masks: list[Array]) -> int:
    """The number of features of the example that has the fewest."""
    highest = [mask.reshape(len(mask), -1).max(axis=1) for mask in masks]  # (1 or examples,) each
    return int(np.minimum.reduce(np.maximum.reduce(np.broadcast_arrays(*highest)))) + 1


def mask_array(tensor: Tensor, loc: Location) -> Array:
    """The numbers of a mask as int64. They are names of features and may be negative.

    Raises:
        InvalidRequest: an example has more than `MAX_MASK_FEATURES` features; or see `tensor_array`.
    """
    mask = tensor_array(tensor, "INT64", loc)
    if any(len(np.unique(row)) > MAX_MASK_FEATURES for row in mask):
        raise InvalidRequest.at(
            [*loc, "data"], Sentence("a mask may hold at most {most} features per example", most=MAX_MASK_FEATURES)
        )
    return mask
