"""Checks the baseline of a method, the values that stand for an absent feature."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, BaselineName
from schemas.sentences import Sentence
from schemas.tensors import NUMPY_DTYPES, GivenTensors, InputBaselines, TensorValue
from service.validation.model import ReadyModel
from service.validation.tensors import Array, Location, check_ids, check_shape, tensor_array

MAX_DISTRIBUTION_ROWS = 256  # rows of a tensor that is a baseline distribution


def baseline_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The baseline field to fill in: the name given, or the card's default.

    Raises:
        InvalidRequest: the model has no baseline of this name.
    """
    if not method.takes_baseline:
        return {}
    given = getattr(method, "baseline", None)
    if isinstance(given, TensorValue | InputBaselines):
        return {}
    defaults = model.defaults
    name: BaselineName = given or (defaults.shap_baseline if method.baselines == "distribution" else defaults.baseline)
    valid = valid_baselines(model)
    if name not in valid:
        listed = ", ".join(valid)
        raise InvalidRequest.at(
            ["method", "baseline"], Sentence("not available for this model; give {listed} or a tensor", listed=listed)
        )
    return {"baseline": name}


def valid_baselines(model: ReadyModel) -> list[BaselineName]:
    """The baseline names that the model takes."""
    return [known for known in model.card.baselines if known != "background" or model.card.background_rows > 0]


def baseline_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """Baseline tensors in model space, one per input, by their names in the payload: (1 or examples, …).

    Those of a baseline distribution are (rows, …), with the same number of rows for every input.

    Raises:
        InvalidRequest: the model takes no baseline tensor, or the number, shape or values of the tensors do not fit.
    """
    given = getattr(method, "baseline", None)
    if not isinstance(given, TensorValue | InputBaselines):
        return {}
    loc: Location = ["method", "baseline"]
    distributed = method.baselines == "distribution"
    rows: range | tuple[int, ...] = range(1, MAX_DISTRIBUTION_ROWS + 1) if distributed else (1, examples)
    arrays: list[Array] = []
    for (one, at), shape in zip(located(given, loc), input_shapes(given, model, loc), strict=True):
        if isinstance(one, str):
            arrays.append(np.zeros((1, *shape), dtype=NUMPY_DTYPES[model.input.datatype]))
            continue
        check_shape(one.shape, shape, rows, at)
        arrays.append(tensor_array(one, model.input.datatype, at))
        check_ids(arrays[-1], len(arrays) - 1, model.input, at)
        if distributed:  # a draw takes the same row of every input
            rows = (1, len(arrays[-1])) if len(arrays[-1]) > 1 else rows
    most = max(map(len, arrays))
    return {
        f"baseline.{index}": array if len(array) == most or not distributed else np.repeat(array, most, axis=0)
        for index, array in enumerate(arrays)
    }


def located(given: GivenTensors, loc: Location) -> Iterator[tuple[Any, Location]]:
    """Each tensor of a parameter, with its location in the request."""
    if isinstance(given, TensorValue):
        yield given.tensor, [*loc, "tensor"]
        return
    for index, one in enumerate(given.each):
        yield one, [*loc, "tensors", index]


def input_shapes(given: GivenTensors, model: ReadyModel, loc: Location) -> list[list[int]]:
    """The shape of one example of each input, for a parameter with one tensor per input.

    Raises:
        InvalidRequest: the model takes text, which has no fixed shape, or has another number of inputs.
    """
    shapes = model.input.shapes
    key = "tensor" if isinstance(given, TensorValue) else "tensors"
    if model.input.kind == "text":
        raise InvalidRequest.at([*loc, key], "not available for text; give a name")
    if len(given.each) != len(shapes):
        raise InvalidRequest.at(
            [*loc, key], Sentence("the model has {count} inputs: give `tensors`, one for each", count=len(shapes))
        )
    return shapes
