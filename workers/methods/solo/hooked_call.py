"""Captum calls of the solo lane, built from a Captum class and the arguments that it takes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from schemas.methods import BaseMethod
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.calls import HookedCall

Tensors = tuple[Tensor, ...]
Arguments = Callable[[Any, SoloCall, int], dict[str, Any]]

CONSTRUCTOR_FIELDS = ("multiply_by_inputs", "eps")  # parameters that Captum's constructors take


def hooked_call(captum_class: Callable[..., Any], *arguments: Arguments) -> HookedCall:
    """The call of a Captum class that hooks modules.

    Args:
        captum_class: a class of `captum.attr`. Its constructor is given the modules of `location` and the method's
            `CONSTRUCTOR_FIELDS`.
        arguments: what `attribute` takes besides the inputs and the additional forward args.
    """

    def run(method: BaseMethod, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
        fields = {name: getattr(method, name) for name in CONSTRUCTOR_FIELDS if name in type(method).model_fields}
        attribution = captum_class(*location(method, view), **fields)
        options: dict[str, Any] = {"additional_forward_args": call.additional_forward_args or None}
        for argument in arguments:
            options |= argument(method, call, batch_rows)
        inputs = leaves(call.inputs) if method.gradients else call.inputs
        return as_tuple(attribution.attribute(inputs, **options))

    return run


def location(method: BaseMethod, view: ModelView) -> tuple[nn.Module, ...]:
    """The module that a method runs and, for a method at a layer, that layer in it.

    Rules need the hookable module. Other methods enter the model at its own inputs or at its embeddings.
    """
    layer: str | None = getattr(method, "layer", None)
    if method.rules is not None:
        return (view.hook_module,) if layer is None else (view.hook_module, view.hook_layer(layer))
    if method.entry == "model":
        module = view.layer_module
        return (module,) if layer is None else (module, module.get_submodule(layer))
    return (view.module,) if layer is None else (view.module, view.layer(layer))


def leaves(tensors: Tensors) -> Tensors:
    """Copies that may require gradients; Captum toggles `requires_grad` on its inputs."""
    return tuple(t.detach().clone().requires_grad_(t.is_floating_point()) for t in tensors)


def target(_method: BaseMethod, call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """The explained outputs. Captum takes places in several dimensions as tuples, and a list of them only for several
    examples."""
    if call.targets is None or call.targets.dim() < 2:
        return {"target": call.targets}
    places = [tuple(place) for place in call.targets.tolist()]
    return {"target": places[0] if len(places) == 1 else places}


def baselines(_method: BaseMethod, call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """One baseline for each example."""
    return {"baselines": call.baselines}


def distribution(_method: BaseMethod, call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """The baseline distribution."""
    return {"baselines": call.baseline_distribution}


def path(method: Any, call: SoloCall, batch_rows: int) -> dict[str, Any]:
    """The points of a path, one batch of them at a time."""
    rows = max(batch_rows, call.examples)
    return {"n_steps": method.n_steps, "method": method.method, "internal_batch_size": rows}


def noise(method: Any, _call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """Noisy samples between inputs and baselines."""
    return {"n_samples": method.n_samples, "stdevs": method.stdevs}


def features(_method: BaseMethod, call: SoloCall, batch_rows: int) -> dict[str, Any]:
    """The features that are altered, and how many of them in one pass."""
    return {"feature_mask": call.feature_mask, "perturbations_per_eval": max(1, batch_rows // call.examples)}


def side(method: Any, _call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """The side of the layer to which a method attributes."""
    return {"attribute_to_layer_input": method.attribute_to_layer_input}


def unit(method: Any, _call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    """The unit of the layer that is explained."""
    selector = method.neuron_selector
    return {
        "neuron_selector": selector if isinstance(selector, int) else tuple(selector),
        "attribute_to_neuron_input": method.attribute_to_neuron_input,
    }


def as_tuple(attributions: Any) -> Tensors:
    """One tensor or several, as Captum returns them, always as a tuple.

    Raises:
        TypeError: the layer's output is not made of tensors.
    """
    tensors = attributions if isinstance(attributions, tuple | list) else (attributions,)
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        raise TypeError("the layer's output is not made of tensors")
    return tuple(tensor.detach() for tensor in tensors)
