"""Methods that replace the backward pass of the model's own modules: DeepLIFT, guided backpropagation, LRP."""

from typing import Any

import torch
from captum.attr import (
    LRP,
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    GuidedBackprop,
    GuidedGradCam,
    LayerAttribution,
    LayerDeepLift,
    LayerDeepLiftShap,
    LayerLRP,
)
from torch import Tensor, nn

from schemas import methods as spec
from schemas.errors import InputRejected
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods import deep_lift_rules, lrp_rules  # noqa: F401  # they put their rules into Captum's tables
from workers.methods.captum_arguments import Tensors, as_tuple, leaves, targeted
from workers.methods.token_maps import grad_cam_of_tokens


def deep_lift(m: spec.DeepLift, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = DeepLift(view.hook_module, multiply_by_inputs=m.multiply_by_inputs, eps=m.eps)
    return as_tuple(method.attribute(leaves(call.inputs), baselines=call.baselines, **targeted(call)))


def deep_lift_shap(m: spec.DeepLiftShap, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    def run(baselines: Tensors) -> Tensors:
        method = DeepLiftShap(view.hook_module, multiply_by_inputs=m.multiply_by_inputs)
        return as_tuple(method.attribute(leaves(call.inputs), baselines, **targeted(call)))

    return mean_over_baselines(run, view, call, batch_rows)


def layer_deep_lift(m: spec.LayerDeepLift, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = LayerDeepLift(view.hook_module, _layer(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs),
            baselines=call.baselines,
            attribute_to_layer_input=m.attribute_to_layer_input,
            **targeted(call),
        )
    )


def layer_deep_lift_shap(m: spec.LayerDeepLiftShap, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    def run(baselines: Tensors) -> Tensors:
        method = LayerDeepLiftShap(view.hook_module, _layer(m, view), multiply_by_inputs=m.multiply_by_inputs)
        to_input = m.attribute_to_layer_input
        return as_tuple(
            method.attribute(leaves(call.inputs), baselines, attribute_to_layer_input=to_input, **targeted(call))
        )

    return mean_over_baselines(run, view, call, batch_rows)


def guided_backprop(m: spec.GuidedBackprop, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(GuidedBackprop(view.hook_module).attribute(leaves(call.inputs), **targeted(call)))


def deconvolution(m: spec.Deconvolution, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(Deconvolution(view.hook_module).attribute(leaves(call.inputs), **targeted(call)))


def guided_grad_cam(m: spec.GuidedGradCam, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    if view.token_grid is not None:
        (cam,) = grad_cam_of_tokens(m, view.token_grid, view.hook_module, _layer(m, view), call, relu=True)
        (guided,) = guided_backprop(spec.GuidedBackprop(), view, call, batch_rows)
        size = tuple(call.inputs[0].shape[2:])
        return (guided * LayerAttribution.interpolate(cam, size, interpolate_mode=m.interpolate_mode),)
    return as_tuple(
        GuidedGradCam(view.hook_module, _layer(m, view)).attribute(
            leaves(call.inputs),
            interpolate_mode=m.interpolate_mode,
            attribute_to_layer_input=m.attribute_to_layer_input,
            **targeted(call),
        )
    )


def lrp(m: spec.Lrp, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(LRP(view.hook_module).attribute(leaves(call.inputs), **targeted(call)))


def layer_lrp(m: spec.LayerLrp, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Raises `InputRejected` for a layer that LRP passes through without a rule, such as an activation."""
    method = LayerLRP(view.hook_module, _layer(m, view))
    to_input = m.attribute_to_layer_input
    try:
        return as_tuple(method.attribute(leaves(call.inputs), attribute_to_layer_input=to_input, **targeted(call)))
    except AttributeError as error:  # Captum looks for the rule's record of relevance, and finds no rule
        raise InputRejected(f"LRP keeps no relevance at {m.layer!r}; choose a layer with weights") from error


def mean_over_baselines(run: Any, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """DeepLiftShap is a mean over baselines, so they are taken a batch at a time and weighted by their number."""
    if call.baseline_distribution is None:
        raise ValueError("a distribution of baselines is needed")
    count = call.baseline_distribution[0].shape[0]
    step = max(1, batch_rows // (2 * call.examples))
    total: list[Tensor] | None = None
    for start in range(0, count, step):
        part = tuple(b[start : start + step] for b in call.baseline_distribution)
        weight = part[0].shape[0] / count
        if part[0].shape[0] == 1:  # Captum wants two, and twice the same has the same mean
            part = tuple(torch.cat([b, b]) for b in part)
        weighted = [attribution * weight for attribution in run(part)]
        total = weighted if total is None else [torch.add(a, b) for a, b in zip(total, weighted, strict=True)]
    return tuple(total or ())


def _layer(m: Any, view: ModelView) -> nn.Module:
    return view.hook_layer(m.layer)
