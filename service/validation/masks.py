"""The feature mask of feature ablation: which elements are one feature."""

from typing import Any

import numpy as np

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, FeatureAblation, Grid
from schemas.tensors import TensorValue
from service.validation.baselines import single_shape
from service.validation.model import ReadyModel
from service.validation.tensors import Array, check_shape, tensor_array

DEFAULT_GRID = 14  # rows and columns over a picture
MAX_FEATURE_NUMBER = 4095


def mask_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The grid to fill in for a picture.

    Raises:
        InvalidRequest: a grid over something else, or one finer than the picture.
    """
    if not isinstance(method, FeatureAblation) or isinstance(method.feature_mask, TensorValue):
        return {}
    if model.input.kind != "image":
        if method.feature_mask is not None:
            raise InvalidRequest.at(["method", "feature_mask", "grid"], "a grid lies over images only")
        return {}
    sides = model.input.shapes[0][-2:]  # height, width in pixels
    if method.feature_mask is None:
        return {"feature_mask": Grid(grid=[min(DEFAULT_GRID, side) for side in sides])}
    for index, (cells, side) in enumerate(zip(method.feature_mask.grid, sides, strict=True)):
        if cells > side:
            raise InvalidRequest.at(
                ["method", "feature_mask", "grid", index], f"finer than the {side} pixels there are"
            )
    return {}


def mask_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """A mask given as a tensor, (1 or examples, …) int64, under its name in the payload.

    Raises:
        InvalidRequest: the model takes none, or shape or values do not fit.
    """
    if not isinstance(method, FeatureAblation) or not isinstance(method.feature_mask, TensorValue):
        return {}
    loc: list[str | int] = ["method", "feature_mask", "tensor"]
    tensor = method.feature_mask.tensor
    check_shape(tensor.shape, single_shape(model, loc), (1, examples), loc)
    mask = tensor_array(tensor, "INT64", loc)
    wrong = np.logical_or(mask < 0, mask > MAX_FEATURE_NUMBER).ravel()
    if wrong.any():
        raise InvalidRequest.at([*loc, "data", int(wrong.argmax())], f"features are numbered 0 to {MAX_FEATURE_NUMBER}")
    return {"feature_mask.0": mask}
