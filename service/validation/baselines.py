"""The baseline: what 'absent' means."""

from typing import Any

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, BaselineName
from schemas.tensors import TensorValue
from schemas.traits import DISTRIBUTED
from service.validation.model import ReadyModel
from service.validation.tensors import Array, check_shape, tensor_array

MAX_DISTRIBUTION_ROWS = 256  # of a tensor that is one


def baseline_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The baseline to fill in: the one given if it is valid for the model, else the card's default.

    Raises:
        InvalidRequest: it means nothing for this model.
    """
    if not takes_baseline(method):
        return {}
    given = getattr(method, "baseline", None)
    if isinstance(given, TensorValue):
        return {}
    defaults = model.defaults
    name: BaselineName = given or (defaults.shap_baseline if method.name in DISTRIBUTED else defaults.baseline)
    valid = [known for known in model.card.baselines if known != "background" or model.card.background_rows > 0]
    if name not in valid:
        listed = ", ".join(valid)
        raise InvalidRequest.at(
            ["method", "baseline"], f"means nothing for this model, which takes {listed} or a tensor"
        )
    return {"baseline": name}


def baseline_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """A baseline tensor in model space, (1 or examples, …) or as many as a distribution has, under its payload name.

    Raises:
        InvalidRequest: the model takes none, or shape or values do not fit.
    """
    given = getattr(method, "baseline", None)
    if not isinstance(given, TensorValue):
        return {}
    loc: list[str | int] = ["method", "baseline", "tensor"]
    shape = single_shape(model, loc)
    rows = range(1, MAX_DISTRIBUTION_ROWS + 1) if method.name in DISTRIBUTED else (1, examples)
    check_shape(given.tensor.shape, shape, rows, loc)
    return {"baseline.0": tensor_array(given.tensor, model.input.datatype, loc)}


def takes_baseline(method: AnyMethod) -> bool:
    """SmoothGrad has one only around integrated gradients."""
    if method.name == "smooth_grad":
        return method.attribution_method == "integrated_gradients"
    return "baseline" in type(method).model_fields


def single_shape(model: ReadyModel, loc: list[str | int]) -> list[int]:
    """The shape of one example of the model's one input.

    Raises:
        InvalidRequest: a text, which has no fixed shape, or several inputs.
    """
    if model.input.kind == "text":
        raise InvalidRequest.at(loc, "a model that takes text takes no tensor here")
    if len(model.input.shapes) != 1:
        raise InvalidRequest.at(loc, "a model of several inputs takes no tensor here")
    return model.input.shapes[0]
