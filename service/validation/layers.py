"""The layer of a layer method."""

from typing import Any

from schemas.errors import InvalidRequest
from schemas.methods import LAYER_METHODS, AnyMethod
from service.validation.model import ReadyModel
from service.validation.suggest import suggestion


def layer_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The layer to fill in.

    Raises:
        InvalidRequest: none given and the card has no default, no such layer, or it gives no map to upsample.
    """
    if method.name not in LAYER_METHODS:
        return {}
    name: str | None = getattr(method, "layer", None) or model.defaults.layer
    if name is None:
        raise InvalidRequest.at(["method", "layer"], "the model has no default layer: name one of GET /models")
    layer = next((layer for layer in model.card.layers if layer.name == name), None)
    if layer is None:
        close = suggestion(name, [layer.name for layer in model.card.layers])
        raise InvalidRequest.at(["method", "layer"], f"the model has no such layer{close}")
    if getattr(method, "upsample", False):
        if model.input.kind != "image":
            raise InvalidRequest.at(["method", "upsample"], "only for models that take images")
        shape = layer.output_shape
        if not getattr(method, "attribute_to_layer_input", False) and (shape is None or len(shape) != 3):
            raise InvalidRequest.at(["method", "upsample"], "the layer's output is no map (channels, height, width)")
    return {"layer": name}
