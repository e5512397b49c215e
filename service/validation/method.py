"""Checks the method of a request against the model's card, and fills in defaults."""

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, stored_method
from schemas.sentences import Sentence, words
from service.validation.baselines import baseline_arrays, baseline_fields
from service.validation.layers import layer_fields
from service.validation.masks import check_features, mask_arrays, mask_fields
from service.validation.model import ReadyModel
from service.validation.tensors import Array
from service.validation.units import check_unit, layer_arrays
from service.validation.windows import window_fields

MIN_PERMUTED = 2  # examples


def check_method(given: AnyMethod | None, model: ReadyModel, examples: int) -> tuple[AnyMethod, dict[str, Array]]:
    """The method with the card's defaults filled in, and its tensors by their names in the payload.

    Raises:
        InvalidRequest: the model does not support the method, or a parameter does not fit the model.
    """
    method = given or stored_method({"name": model.defaults.method})
    check_supported(method.name, model)
    _check_unused(method)
    _check_examples(method, examples)
    filled = {
        **layer_fields(method, model, examples),
        **baseline_fields(method, model),
        **mask_fields(method, model),
        **window_fields(method, model),
    }
    check_unit(method, model)
    arrays = {
        **baseline_arrays(method, model, examples),
        **mask_arrays(method, model, examples),
        **layer_arrays(method, model, examples),
    }
    complete = method.model_copy(update=filled)
    check_features(complete, model, arrays)
    return complete, arrays


def check_supported(name: str, model: ReadyModel) -> None:
    """Raises `InvalidRequest` for a method that the model does not support; says why."""
    support = next((one for one in model.card.methods if one.name == name), None)
    if support is None or not support.supported:
        reason = words((support and support.objection) or "the model's worker does not support it")
        raise InvalidRequest.at(["method", "name"], Sentence("not supported by this model: {reason}", reason=reason))


def _check_unused(method: AnyMethod) -> None:
    """Refuse a parameter that the method would ignore, given the others."""
    for field, owner in method.unused_parameters():
        raise InvalidRequest.at(["method", field], Sentence("belongs to {owner}", owner=owner))


def _check_examples(method: AnyMethod, examples: int) -> None:
    if method.permutes and examples < MIN_PERMUTED:
        raise InvalidRequest.at(
            ["input"],
            Sentence(
                "features are exchanged between examples: give at least {least}; {examples} given",
                least=MIN_PERMUTED,
                examples=examples,
            ),
        )
