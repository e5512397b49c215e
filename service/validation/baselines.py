"""Validation of the baseline, the values that stand for absent elements."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, BaselineName
from schemas.tensors import NUMPY_DTYPES, GivenTensors, InputBaselines, TensorValue
from service.validation.model import ReadyModel
from service.validation.tensors import Array, Location, check_ids, check_shape, tensor_array

MAX_DISTRIBUTION_ROWS = 256  # of a tensor that is one


def baseline_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The baseline to fill in: the one given if it is valid for the model, else the card's default.

    Raises:
        InvalidRequest: it means nothing for this model.
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
            ["method", "baseline"], f"means nothing for this model, which takes {listed} or a tensor"
        )
    return {"baseline": name}


def valid_baselines(model: ReadyModel) -> list[BaselineName]:
    """The names that mean something for this model."""
    return [known for known in model.card.baselines if known != "background" or model.card.background_rows > 0]


def baseline_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """Baseline tensors in model space, one per input, under their payload names: (1 or examples, …), of a distribution
    (any number that is the same for all, or 1, …).

    Raises:
        InvalidRequest: the model takes none, or number, shape or values do not fit.
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
        if distributed:  # drawn together: one row of each input
            rows = (1, len(arrays[-1])) if len(arrays[-1]) > 1 else rows
    most = max(map(len, arrays))
    return {
        f"baseline.{index}": array if len(array) == most or not distributed else np.repeat(array, most, axis=0)
        for index, array in enumerate(arrays)
    }


def located(given: GivenTensors, loc: Location) -> Iterator[tuple[Any, Location]]:
    """Each tensor of a parameter, with its place in the request."""
    if isinstance(given, TensorValue):
        yield given.tensor, [*loc, "tensor"]
        return
    for index, one in enumerate(given.each):
        yield one, [*loc, "tensors", index]


def input_shapes(given: GivenTensors, model: ReadyModel, loc: Location) -> list[list[int]]:
    """The shape of one example of each input, where the parameter has a tensor for each.

    Raises:
        InvalidRequest: a text, which has no fixed shape, or another number of inputs.
    """
    shapes = model.input.shapes
    key = "tensor" if isinstance(given, TensorValue) else "tensors"
    if model.input.kind == "text":
        raise InvalidRequest.at([*loc, key], "a model that takes text takes no tensor here")
    if len(given.each) != len(shapes):
        raise InvalidRequest.at([*loc, key], f"the model has {len(shapes)} inputs: give `tensors`, one for each")
    return shapes
