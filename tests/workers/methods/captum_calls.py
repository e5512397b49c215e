"""Direct Captum calls, written out one by one: what every answer of the worker must equal.

Nothing here is shared with `workers.methods`; parameters that only save memory are left at Captum's defaults.
"""

from typing import Any

import captum.attr as captum
import numpy as np
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod
from tests.workers.methods.captum_layer_calls import layer_call, neuron_call, several
from workers.methods.explain_inputs import ExplainInputs


def direct(
    method: AnyMethod, module: nn.Module, layer_module: nn.Module, p: ExplainInputs, seed: int = 0
) -> tuple[Tensor, ...]:
    """The same explanation by Captum alone, on the module itself, after seeding the global generators."""
    ids = not any(tensor.is_floating_point() for tensor in p.inputs)
    module.requires_grad_(ids)  # from ids no graph reaches a layer, unless a weight before it wants a gradient
    try:
        return _direct(method, module, layer_module, p, seed)
    finally:
        module.requires_grad_(False)


def _direct(  # noqa: PLR0912, PLR0915  # a table, one row per method
    method: AnyMethod, module: nn.Module, layer_module: nn.Module, p: ExplainInputs, seed: int
) -> tuple[Tensor, ...]:
    torch.manual_seed(seed)
    np.random.seed(seed)  # Captum draws from it
    target: Any = p.targets
    if target is not None and isinstance(target[0], list):  # places in several dimensions are tuples to Captum
        target = [tuple(place) for place in target]
    if target is not None and len(target) == 1:
        target = target[0]
    elif target is not None and isinstance(target[0], int):
        target = torch.tensor(target)
    at = {"target": target, "additional_forward_args": p.additional_forward_args or None}
    featured = {"baselines": p.baselines, "feature_mask": p.feature_mask}
    inputs = tuple(t.clone().requires_grad_(t.is_floating_point()) for t in p.inputs)
    layer = layer_module.get_submodule(method.layer) if getattr(method, "layer", None) else None

    match method:
        case spec.Saliency():
            out = captum.Saliency(module).attribute(inputs, abs=method.abs, **at)
        case spec.InputXGradient():
            out = captum.InputXGradient(module).attribute(inputs, **at)
        case spec.IntegratedGradients():
            ig = captum.IntegratedGradients(module, multiply_by_inputs=method.multiply_by_inputs)
            out = ig.attribute(inputs, baselines=p.baselines, n_steps=method.n_steps, method=method.method, **at)
        case spec.DeepLift():
            dl = captum.DeepLift(module, multiply_by_inputs=method.multiply_by_inputs, eps=method.eps)
            out = dl.attribute(inputs, baselines=p.baselines, **at)
        case spec.GradientShap():
            shap = captum.GradientShap(module, multiply_by_inputs=method.multiply_by_inputs)
            out = shap.attribute(
                inputs, p.baseline_distribution, n_samples=method.n_samples, stdevs=method.stdevs, **at
            )
        case spec.SmoothGrad():
            inner: Any
            options: dict[str, Any] = {}
            if method.attribution_method == "saliency":
                inner, options = captum.Saliency(module), {"abs": method.abs}
            elif method.attribution_method == "input_x_gradient":
                inner = captum.InputXGradient(module)
            else:
                inner = captum.IntegratedGradients(module)
                options = {"baselines": p.baselines, "n_steps": method.n_steps}
            tunnel = captum.NoiseTunnel(inner)
            noise = {"nt_type": method.nt_type, "nt_samples": method.nt_samples, "stdevs": method.stdevs}
            out = tunnel.attribute(inputs, **noise, **options, **at)
        case spec.Occlusion():
            windows, strides = method.sliding_window_shapes, method.strides
            if not isinstance(windows[0], list):
                windows, strides = [windows] * len(inputs), strides and [strides] * len(inputs)
            missing = [tuple(t.shape[1 + len(w) :]) for t, w in zip(inputs, windows, strict=True)]
            out = captum.Occlusion(module).attribute(
                inputs,
                tuple((*w, *m) for w, m in zip(windows, missing, strict=True)),
                strides=strides and tuple((*s, *m) for s, m in zip(strides, missing, strict=True)),
                baselines=p.baselines,
                **at,
            )
        case spec.FeatureAblation():
            ablation = captum.FeatureAblation(module)
            out = ablation.attribute(inputs, baselines=p.baselines, feature_mask=p.feature_mask, **at)
        case spec.DeepLiftShap():
            dls = captum.DeepLiftShap(module, multiply_by_inputs=method.multiply_by_inputs)
            out = dls.attribute(inputs, several(p.baseline_distribution), **at)
        case spec.GuidedBackprop():
            out = captum.GuidedBackprop(module).attribute(inputs, **at)
        case spec.Deconvolution():
            out = captum.Deconvolution(module).attribute(inputs, **at)
        case spec.GuidedGradCam():
            cam = captum.GuidedGradCam(module, layer)
            mode, side = method.interpolate_mode, method.attribute_to_layer_input
            out = cam.attribute(inputs, interpolate_mode=mode, attribute_to_layer_input=side, **at)
        case spec.Lrp():
            out = captum.LRP(module).attribute(inputs, **at)
        case spec.FeaturePermutation():
            out = captum.FeaturePermutation(module).attribute(inputs, feature_mask=p.feature_mask, **at)
        case spec.ShapleyValueSampling():
            sampling = captum.ShapleyValueSampling(module)
            out = sampling.attribute(inputs, n_samples=method.n_samples, **featured, **at)
        case spec.ShapleyValues():
            out = captum.ShapleyValues(module).attribute(inputs, **featured, **at)
        case spec.KernelShap():
            out = captum.KernelShap(module).attribute(inputs, n_samples=method.n_samples, **featured, **at)
        case spec.Lime():
            out = captum.Lime(module).attribute(inputs, n_samples=method.n_samples, **featured, **at)
        case _ if method.name.startswith("neuron_"):
            out = neuron_call(method, module, layer, p, inputs, at)
        case _:
            out = layer_call(method, (module, layer_module, layer), p, inputs, at)
    tensors = out if isinstance(out, tuple | list) else (out,)
    return tuple(t.detach() for t in tensors)


def max_relative_difference(ours: tuple[Tensor, ...], captums: tuple[Tensor, ...]) -> float:
    """max |a - b| / max |b| over all elements of all tensors; shapes and types must be equal."""
    assert [(t.shape, t.dtype) for t in ours] == [(t.shape, t.dtype) for t in captums]
    scale = max(float(t.abs().max()) for t in captums)
    worst = max(float((a - b).abs().max()) for a, b in zip(ours, captums, strict=True))
    return worst / scale if scale else worst
