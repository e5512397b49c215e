"""Methods of the solo lane: they hang hooks on the model, so they run with it alone."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from captum.attr import (
    DeepLift,
    LayerActivation,
    LayerGradCam,
    LayerGradientXActivation,
    LayerIntegratedGradients,
)
from torch import Tensor, nn

from schemas import methods as spec
from workers.engine.solo import SoloCall
from workers.engine.view import ModelView
from workers.methods.problem import Tensors

# Captum 0.9's DeepLIFT rules for these look across the batch, so a job must not meet another there.
_BATCH_MIXING_IN_DEEP_LIFT = (nn.Softmax, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)

LAYERED = frozenset({"layer_grad_cam", "layer_integrated_gradients", "layer_gradient_x_activation", "layer_activation"})


def _deep_lift(m: spec.DeepLift, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = DeepLift(view.module, multiply_by_inputs=m.multiply_by_inputs, eps=m.eps)
    return _tuple(
        method.attribute(
            _leaves(call.inputs),
            baselines=call.baselines,
            target=call.targets,
            additional_forward_args=call.extras or None,
        )
    )


def _layer_grad_cam(m: spec.LayerGradCam, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return _tuple(
        LayerGradCam(*_at_layer(m, view)).attribute(
            _leaves(call.inputs),
            **_target(call),
            attribute_to_layer_input=m.attribute_to_layer_input,
            relu_attributions=m.relu_attributions,
        )
    )


def _layer_gradient_x_activation(
    m: spec.LayerGradientXActivation, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    method = LayerGradientXActivation(*_at_layer(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return _tuple(
        method.attribute(_leaves(call.inputs), **_target(call), attribute_to_layer_input=m.attribute_to_layer_input)
    )


def _layer_activation(m: spec.LayerActivation, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return _tuple(
        LayerActivation(*_at_layer(m, view)).attribute(
            call.inputs,
            additional_forward_args=call.extras or None,
            attribute_to_layer_input=m.attribute_to_layer_input,
        )
    )


def _layer_integrated_gradients(
    m: spec.LayerIntegratedGradients, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    method = LayerIntegratedGradients(*_at_layer(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return _tuple(
        method.attribute(
            _leaves(call.inputs),
            baselines=call.baselines,
            **_target(call),
            n_steps=m.n_steps,
            method=m.method,
            internal_batch_size=max(batch_rows, call.examples),
            attribute_to_layer_input=m.attribute_to_layer_input,
        )
    )


SOLO: dict[str, Callable[[Any, ModelView, SoloCall, int], Tensors]] = {
    "deep_lift": _deep_lift,
    "layer_grad_cam": _layer_grad_cam,
    "layer_gradient_x_activation": _layer_gradient_x_activation,
    "layer_activation": _layer_activation,
    "layer_integrated_gradients": _layer_integrated_gradients,
}


def attribute(m: Any, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Runs method `m` on the model; see `workers.engine.solo.Attribute`."""
    with _embeddings_trainable(view, call.inputs):
        return SOLO[m.name](m, view, call, batch_rows)


def mixes_examples(m: Any, view: ModelView) -> bool:
    """True where Captum's answer for one example depends on the others in its call."""
    if m.name != "deep_lift":
        return False
    return any(isinstance(module, _BATCH_MIXING_IN_DEEP_LIFT) for module in view.module.modules())


@contextlib.contextmanager
def _embeddings_trainable(view: ModelView, inputs: Tensors) -> Iterator[None]:
    """Weights are frozen, and integers carry no gradient, so from token ids no graph would reach any layer."""
    frozen = []
    if not any(tensor.is_floating_point() for tensor in inputs):
        frozen = [
            parameter
            for module in view.layer_module.modules()
            if isinstance(module, nn.Embedding)
            for parameter in module.parameters()
        ]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)


def _at_layer(m: Any, view: ModelView) -> tuple[nn.Module, nn.Module]:
    return view.layer_module, view.layer_module.get_submodule(m.layer)


def _target(call: SoloCall) -> dict[str, Any]:
    return {"target": call.targets, "additional_forward_args": call.extras or None}


def _leaves(tensors: Tensors) -> Tensors:
    """Private copies that may be asked for gradients; Captum toggles `requires_grad` on what it is given."""
    return tuple(t.detach().clone().requires_grad_(t.is_floating_point()) for t in tensors)


def _tuple(attributions: Any) -> tuple[Tensor, ...]:
    tensors = attributions if isinstance(attributions, tuple | list) else (attributions,)
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        raise TypeError("the layer's output is not made of tensors")
    return tuple(tensor.detach() for tensor in tensors)
