"""The size of a result, estimated before its job is accepted, so that the store has room for it. Pure."""

from collections.abc import Sequence
from math import prod

from schemas.methods import AnyMethod, LayerMethod
from schemas.metric_requests import AnyQuality
from service.cost.sizes import RequestSizes
from service.tuning import CURVE_BYTES, RESULT_EXAMPLE_BYTES, RESULT_META_BYTES, RESULT_NAME_BYTES
from service.validation.inputs import CheckedInput
from service.validation.layers import explained_shape, find_layer, follows_the_text
from service.validation.model import ReadyModel

ELEMENT_BYTES = {"FP64": 8, "INT64": 8}  # of an attribution, by the datatype of the model's input; others take 4


def result_bytes(method: AnyMethod, model: ReadyModel, given: CheckedInput, quality: Sequence[AnyQuality] = ()) -> int:
    """Bytes of the attributions and of what describes them, an upper bound for all but very long names.

    The method is a checked one, whose defaults are filled in.
    """
    sizes = RequestSizes(method, model, given, {})
    elements = _elements(method, model, sizes)
    named = sizes.tokens if given.kind == "text" else len(model.input.features or ())
    path_baseline = elements if method.path_frames and given.picture is not None else 0  # a byte for each value
    one = (
        elements * ELEMENT_BYTES.get(model.input.datatype, 4) * (1 + method.path_frames)
        + named * RESULT_NAME_BYTES
        + path_baseline
        + len(quality) * CURVE_BYTES
        + RESULT_EXAMPLE_BYTES
    )
    return RESULT_META_BYTES + given.examples * one


def _elements(method: AnyMethod, model: ReadyModel, sizes: RequestSizes) -> int:
    """Attributions of one example."""
    inputs = sizes.tokens if sizes.given.kind == "text" else sum(map(prod, model.input.shapes))
    if not isinstance(method, LayerMethod):
        return inputs
    layer = find_layer(method, model)
    shape = explained_shape(method, layer) if layer is not None else None
    if shape is None:  # a layer's input, or a layer that gives several tensors: about as large as its output is
        return max([inputs, *(prod(one.output_shape or ()) for one in model.card.layers)])
    if follows_the_text(model, shape):
        return sizes.tokens * prod(shape[1:])
    if method.upsample:
        channels = shape[-1] if layer is not None and layer.grid is not None else shape[0]
        return max(channels, 1) * prod(model.input.shapes[0][-2:])
    return prod(shape)
