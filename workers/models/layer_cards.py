"""The layers of a model, as one forward on the sample shows them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from schemas.models import LayerCard
from workers.engine.solo.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.models.probes.gradient_reach import Reach
from workers.models.tuning import MAX_CARD_LAYERS
from workers.tracing.layer_calls import LayerSeen

_NOT_TENSORS = (
    "the layer gives more than tensors with one row for each example, as recurrent layers do; name the layer behind "
    "it, or explain its input by attribute_to_layer_input"
)


@dataclass(frozen=True, slots=True)
class ObservedLayers:
    """One forward of the model.

    Attributes:
        rows: rows of the forward.
        outputs: the model's own output.
        layers: modules that ran, with what was seen of them, by path.
    """

    rows: int
    outputs: Tensor
    layers: dict[str, tuple[nn.Module, LayerSeen]]


def observe_layers(view: ModelView, sample: Prepared) -> ObservedLayers:
    """Runs the model with a hook on every submodule that takes one.

    A packed model gets two rows, so that the dimension of the rows differs from a dimension of extent 1.
    """
    given = sample if view.alone_reason else sample.twice()
    module = view.layer_module
    named = [(name, layer) for name, layer in module.named_modules() if name and takes_hooks(layer)][:MAX_CARD_LAYERS]
    seen = {name: (layer, LayerSeen()) for name, layer in named}
    handles = [layer.register_forward_hook(calls.note, with_kwargs=True) for layer, calls in seen.values()]
    try:
        with torch.no_grad():
            outputs: Tensor = module(*given.layer_inputs, *given.layer_additional_forward_args)
    finally:
        for handle in handles:
            handle.remove()
    ran = {name: (layer, calls) for name, (layer, calls) in seen.items() if calls.calls}
    return ObservedLayers(int(given.layer_inputs[0].shape[0]), outputs, ran)


def layer_cards(
    view: ModelView, observed: ObservedLayers, reach: Reach, mixing_layers: dict[str, str]
) -> list[LayerCard]:
    """The card of each layer that ran, in the order of `named_modules`.

    `mixing_layers` gives a reason for each layer whose output mixes rows, by path.
    """
    return [
        LayerCard(
            name=name,
            type=type(layer).__name__,
            calls=seen.calls,
            no_gradient=reach.from_output.get(name, []),
            no_gradient_to_input=reach.to_input.get(name, []),
            no_relu_before=reach.relu.get(name, []),
            **_refused_where_rows_mix(_shape_fields(view, seen, observed.rows), mixing_layers.get(name)),
        )
        for name, (layer, seen) in observed.layers.items()
    ]


def _shape_fields(view: ModelView, seen: LayerSeen, rows: int) -> dict[str, Any]:
    """Output shape, grid and refusals of a layer, by the field of `LayerCard`."""
    refusals, shape = seen.refusals(), seen.shape or []
    if isinstance(shape, list):
        one_row_each = all(part is not None and part[:1] == (rows,) for part in shape)
        return refusals if one_row_each else {"output_refused": _NOT_TENSORS} | refusals
    if shape[:1] != (rows,):
        found = f"for {rows} examples its output is of shape {list(shape)}"
        return {"refused": f"the layer does not give one row for each example: {found}"} | refusals
    return {"output_shape": list(shape[1:]), "grid": _grid(view, list(shape[1:]))} | refusals


def _refused_where_rows_mix(fields: dict[str, Any], reason: str | None) -> dict[str, Any]:
    if reason is None:
        return fields
    return {"refused": f"the layer's rows are not independent: {reason}"} | fields


def _grid(view: ModelView, shape: list[int]) -> list[int] | None:
    """The rows and columns of the picture that the tokens of a layer's output, (tokens, features), stand for."""
    grid = view.token_grid.of(shape[0]) if view.token_grid is not None and len(shape) == 2 else None
    return None if grid is None else list(grid)
