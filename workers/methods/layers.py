"""Methods that attribute to a layer. Hooks fire inside the real forward."""

from typing import Any

from captum.attr import (
    InternalInfluence,
    LayerActivation,
    LayerConductance,
    LayerGradCam,
    LayerGradientShap,
    LayerGradientXActivation,
    LayerIntegratedGradients,
)
from torch import nn

from schemas import methods as spec
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.captum_arguments import Tensors, additional_forward_args, along, as_tuple, leaves, targeted
from workers.methods.token_maps import grad_cam_of_tokens


def layer_grad_cam(m: spec.LayerGradCam, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    if view.token_grid is not None:
        relu, summed = m.relu_attributions, m.attr_dim_summation
        return grad_cam_of_tokens(m, view.token_grid, *_own(m, view), call, relu=relu, summed=summed)
    return as_tuple(
        LayerGradCam(*_own(m, view)).attribute(
            leaves(call.inputs),
            relu_attributions=m.relu_attributions,
            attr_dim_summation=m.attr_dim_summation,
            **_side(m),
            **targeted(call),
        )
    )


def layer_gradient_x_activation(
    m: spec.LayerGradientXActivation, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    method = LayerGradientXActivation(*_own(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(method.attribute(leaves(call.inputs), **_side(m), **targeted(call)))


def layer_activation(m: spec.LayerActivation, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(LayerActivation(*_own(m, view)).attribute(call.inputs, **_side(m), **additional_forward_args(call)))


def layer_integrated_gradients(
    m: spec.LayerIntegratedGradients, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    method = LayerIntegratedGradients(*_own(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs), baselines=call.baselines, **along(m, call, batch_rows), **_side(m), **targeted(call)
        )
    )


def layer_conductance(m: spec.LayerConductance, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        LayerConductance(*_entered(m, view)).attribute(
            leaves(call.inputs), baselines=call.baselines, **along(m, call, batch_rows), **_side(m), **targeted(call)
        )
    )


def internal_influence(m: spec.InternalInfluence, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        InternalInfluence(*_entered(m, view)).attribute(
            leaves(call.inputs), baselines=call.baselines, **along(m, call, batch_rows), **_side(m), **targeted(call)
        )
    )


def layer_gradient_shap(m: spec.LayerGradientShap, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = LayerGradientShap(*_entered(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs),
            call.baseline_distribution,
            n_samples=m.n_samples,
            stdevs=m.stdevs,
            **_side(m),
            **targeted(call),
        )
    )


def _own(m: Any, view: ModelView) -> tuple[nn.Module, nn.Module]:
    return view.layer_module, view.layer_module.get_submodule(m.layer)


def _entered(m: Any, view: ModelView) -> tuple[nn.Module, nn.Module]:
    return view.module, view.layer(m.layer)


def _side(m: Any) -> dict[str, Any]:
    return {"attribute_to_layer_input": m.attribute_to_layer_input}
