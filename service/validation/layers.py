"""Checks the layer of a layer or neuron method."""

from math import prod
from typing import Any

from schemas.errors import InvalidRequest
from schemas.limits import MAX_TENSOR_ELEMENTS
from schemas.methods import AnyMethod, LayerGradCam, LayerMethod
from schemas.models import LayerCard, Side
from schemas.sentences import Sentence
from service.validation.document.suggest import with_suggestion
from service.validation.model import ReadyModel

MAP_RANK = 3  # channels, height, width


def layer_fields(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Any]:
    """The layer to fill in.

    Raises:
        InvalidRequest: no layer is given and the card has no default, the model has no such layer, its output is not
            a map where one is required, or maps of the input's size would be too large.
    """
    layer = find_layer(method, model)
    if layer is None:
        return {}
    if isinstance(method, LayerMethod) and method.upsample:
        if model.input.kind != "image":
            raise InvalidRequest.at(["method", "upsample"], "only for models that take images")
        _check_map(method, layer, "upsample")
        _check_upsampled(method, model, layer, examples)
    if method.needs_map:
        _check_map(method, layer, "layer")
    return {"layer": layer.name}


def find_layer(method: AnyMethod, model: ReadyModel) -> LayerCard | None:
    """The layer that the method names, or the card's default; None for a method without a layer.

    Raises:
        InvalidRequest: no layer is given and the card has no default, the model has no such layer, or the method
            cannot use it.
    """
    if "layer" not in type(method).model_fields:
        return None
    name: str | None = getattr(method, "layer", None) or model.defaults.layer
    if name is None:
        raise InvalidRequest.at(["method", "layer"], "the model has no default layer: name one of GET /models")
    layer = next((layer for layer in model.card.layers if layer.name == name), None)
    if layer is None:
        names = [layer.name for layer in model.card.layers]
        message = with_suggestion("the model has no such layer", name, names)
        raise InvalidRequest.at(["method", "layer"], message)
    refused = layer.refused or (layer.input_refused if method.at_layer_input else layer.output_refused)
    if refused is not None:
        raise InvalidRequest.at(["method", "layer"], refused)
    _check_gradient(method, layer)
    return layer


def _check_gradient(method: AnyMethod, layer: LayerCard) -> None:
    side: Side = "input" if method.at_layer_input else "output"
    if "output_to_layer" in method.gradients and side in layer.no_gradient:
        cut = Sentence("no gradient leads from the model's outputs to the {side} of this layer", side=side)
    elif "unit_to_input" in method.gradients and side in layer.no_gradient_to_input:
        cut = Sentence("no gradient leads from the {side} of this layer to the model's inputs", side=side)
    else:
        return
    instead = "neuron_feature_ablation" if "unit_to_input" in method.gradients else "layer_feature_ablation"
    message = Sentence(
        "{cut}, as behind torch.no_grad, detach or argmax; use a method that perturbs, such as {instead}",
        cut=cut,
        instead=instead,
    )
    raise InvalidRequest.at(["method", "layer"], message)


def explained_shape(method: AnyMethod, layer: LayerCard) -> list[int] | None:
    """The shape of one example's units at the layer; None if the card does not hold it (a layer's input, a tuple)."""
    return None if method.at_layer_input else layer.output_shape


def follows_the_text(model: ReadyModel, shape: list[int]) -> bool:
    """Whether the extents at a layer depend on the number of tokens; its card shows those of a short sample."""
    return model.input.kind == "text" and len(shape) > 1


def _check_map(method: AnyMethod, layer: LayerCard, field: str) -> None:
    if method.at_layer_input:
        return  # the card does not hold the input's shape; the worker checks it
    if layer.grid is None and (layer.output_shape is None or len(layer.output_shape) != MAP_RANK):
        raise InvalidRequest.at(["method", field], "the layer's output is not a map (channels, height, width)")


def _check_upsampled(method: AnyMethod, model: ReadyModel, layer: LayerCard, examples: int) -> None:
    summed = isinstance(method, LayerGradCam) and method.attr_dim_summation
    shape = explained_shape(method, layer)
    channels = 1 if summed or shape is None else shape[0 if layer.grid is None else -1]
    elements = examples * channels * prod(model.input.shapes[0][-2:])
    if elements > MAX_TENSOR_ELEMENTS:
        raise InvalidRequest.at(
            ["method", "upsample"],
            Sentence(
                "the result would hold {elements} numbers, more than {most}; overlays do not need it",
                elements=elements,
                most=MAX_TENSOR_ELEMENTS,
            ),
        )
