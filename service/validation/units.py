"""Checks the units of a layer: the one that a neuron method explains, and groups of them for ablation."""

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, LayerFeatures, NeuronMethod
from schemas.sentences import Sentence
from schemas.tensors import Tensor, TensorValue
from service.validation.layers import explained_shape, find_layer, follows_the_text
from service.validation.masks import mask_array
from service.validation.model import ReadyModel
from service.validation.numbering import numbered_densely
from service.validation.tensors import Array, Location, check_rows, check_shape, tensor_array


def check_unit(method: AnyMethod, model: ReadyModel) -> None:
    """Check that the selected unit exists, if the card holds the layer's shape.

    Raises:
        InvalidRequest: the selector has another number of indices than the layer's output has dimensions, or an index
            is out of range.
    """
    layer = find_layer(method, model)
    if not isinstance(method, NeuronMethod) or layer is None:
        return
    shape = explained_shape(method, layer)
    if shape is None:
        return
    loc: Location = ["method", "neuron_selector"]
    selector = method.neuron_selector
    indices = [selector] if isinstance(selector, int) else selector
    if len(indices) != len(shape):
        raise InvalidRequest.at(
            loc,
            Sentence(
                "give {count} indices, one per dimension of the layer's output {shape}; {given} given",
                shape=shape,
                count=len(shape),
                given=len(indices),
            ),
        )
    if follows_the_text(model, shape):
        return
    for position, (index, extent) in enumerate(zip(indices, shape, strict=True)):
        if index >= extent:
            at = loc if isinstance(selector, int) else [*loc, position]
            raise InvalidRequest.at(
                at,
                Sentence("out of range: this dimension of the layer's output has indices 0 to {last}", last=extent - 1),
            )


def layer_arrays(method: AnyMethod, model: ReadyModel, examples: int) -> dict[str, Array]:
    """The mask over a layer's units (int64) and their baselines, (1 or examples, …), by their names in the payload.

    Raises:
        InvalidRequest: the shape or the values of a tensor do not fit the layer.
    """
    layer = find_layer(method, model)
    if not isinstance(method, LayerFeatures) or layer is None:
        return {}
    arrays = {}
    shape = explained_shape(method, layer)
    rows = (1,) if method.permutes else (1, examples)

    def check(tensor: Tensor, loc: Location) -> None:
        if shape is None or (follows_the_text(model, shape) and len(tensor.shape) == len(shape) + 1):
            check_rows(tensor.shape, rows, loc)
        else:
            check_shape(tensor.shape, shape, rows, loc, "the layer gives")

    if method.layer_mask is not None:
        loc: Location = ["method", "layer_mask", "tensor"]
        check(method.layer_mask.tensor, loc)
        (arrays["layer_mask.0"],) = numbered_densely([mask_array(method.layer_mask.tensor, loc)])
    baselines = getattr(method, "layer_baselines", None)
    if isinstance(baselines, TensorValue):
        loc = ["method", "layer_baselines", "tensor"]
        check(baselines.tensor, loc)
        arrays["layer_baseline.0"] = tensor_array(baselines.tensor, "FP64", loc)
    return arrays
