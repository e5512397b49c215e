"""Direct Captum calls of the layer and neuron methods; see `captum_calls`."""

from typing import Any

import captum.attr as captum
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod
from workers.methods.explain_inputs import ExplainInputs

Tensors = tuple[Tensor, ...]


def several(baseline_distribution: Tensors) -> Tensors:
    """Captum refuses a distribution of one; twice the same is the same distribution."""
    return tuple(torch.cat([b, b]) if b.shape[0] == 1 else b for b in baseline_distribution)


class Chosen(nn.Module):
    """The output that is explained, (rows,)."""

    def __init__(self, model: nn.Module, target: Any) -> None:
        super().__init__()
        self.model, self.target = model, target

    def forward(self, *inputs: Tensor) -> Tensor:
        out = self.model(*inputs)
        if self.target is None:
            return out
        places = torch.as_tensor(self.target).reshape(len(out), -1)  # (rows, dimensions of an output)
        return out[(torch.arange(len(out)), *places.T)]


def layer_call(  # noqa: PLR0911  # a table, one row per method
    method: AnyMethod,
    modules: tuple[nn.Module, nn.Module, nn.Module],
    p: ExplainInputs,
    inputs: Tensors,
    at: dict[str, Any],
) -> Any:
    """`modules`: entered with the inputs, the model itself, the layer."""
    module, own, layer = modules
    into = tuple(t.clone().requires_grad_(t.is_floating_point()) for t in p.layer_inputs)
    at_own = {"target": at["target"], "additional_forward_args": p.layer_additional_forward_args or None}
    side = {"attribute_to_layer_input": method.attribute_to_layer_input}
    match method:
        case spec.LayerGradCam():
            cam = captum.LayerGradCam(own, layer)
            relu, summed = method.relu_attributions, method.attr_dim_summation
            return cam.attribute(into, relu_attributions=relu, attr_dim_summation=summed, **side, **at_own)
        case spec.LayerGradientXActivation():
            lga = captum.LayerGradientXActivation(own, layer, multiply_by_inputs=method.multiply_by_inputs)
            return lga.attribute(into, **side, **at_own)
        case spec.LayerActivation():
            additional_forward_args = p.layer_additional_forward_args or None
            return captum.LayerActivation(own, layer).attribute(
                into, additional_forward_args=additional_forward_args, **side
            )
        case spec.LayerIntegratedGradients():
            lig = captum.LayerIntegratedGradients(own, layer, multiply_by_inputs=method.multiply_by_inputs)
            steps = {"n_steps": method.n_steps, "method": method.method}
            return lig.attribute(into, baselines=p.layer_baselines, **steps, **side, **at_own)
        case spec.LayerFeatureAblation():
            ablation = captum.LayerFeatureAblation(own, layer)
            zero = method.layer_baselines
            return ablation.attribute(into, layer_baselines=zero, layer_mask=p.layer_mask, **side, **at_own)
        case spec.LayerFeaturePermutation():  # fails where a target is given, so the model gives that one output
            chosen = Chosen(own, at["target"])
            return captum.LayerFeaturePermutation(chosen, layer).attribute(
                into, additional_forward_args=p.layer_additional_forward_args or None, layer_mask=p.layer_mask
            )
        case spec.LayerConductance():
            steps = {"n_steps": method.n_steps, "method": method.method}
            return captum.LayerConductance(module, layer).attribute(
                inputs, baselines=p.baselines, **steps, **side, **at
            )
        case spec.InternalInfluence():
            steps = {"n_steps": method.n_steps, "method": method.method}
            influence = captum.InternalInfluence(module, layer)
            return influence.attribute(inputs, baselines=p.baselines, **steps, **side, **at)
        case spec.LayerGradientShap():
            shap = captum.LayerGradientShap(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            noise = {"n_samples": method.n_samples, "stdevs": method.stdevs}
            return shap.attribute(inputs, p.baseline_distribution, **noise, **side, **at)
        case spec.LayerDeepLift():
            lift = captum.LayerDeepLift(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            return lift.attribute(inputs, baselines=p.baselines, **side, **at)
        case spec.LayerDeepLiftShap():
            lift = captum.LayerDeepLiftShap(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            return lift.attribute(inputs, several(p.baseline_distribution), **side, **at)
        case spec.LayerLrp():
            return captum.LayerLRP(module, layer).attribute(inputs, **side, **at)
    raise AssertionError(method)


def neuron_call(  # noqa: PLR0911
    method: AnyMethod, module: nn.Module, layer: nn.Module, p: ExplainInputs, inputs: Tensors, at: dict[str, Any]
) -> Any:
    selector = method.neuron_selector
    unit = {
        "neuron_selector": selector if isinstance(selector, int) else tuple(selector),
        "attribute_to_neuron_input": method.attribute_to_neuron_input,
        "additional_forward_args": at["additional_forward_args"],
    }
    match method:
        case spec.NeuronGradient():
            return captum.NeuronGradient(module, layer).attribute(inputs, **unit)
        case spec.NeuronIntegratedGradients():
            ig = captum.NeuronIntegratedGradients(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            return ig.attribute(inputs, baselines=p.baselines, n_steps=method.n_steps, method=method.method, **unit)
        case spec.NeuronConductance():
            cond = captum.NeuronConductance(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            steps = {"n_steps": method.n_steps, "method": method.method}
            return cond.attribute(inputs, baselines=p.baselines, target=at["target"], **steps, **unit)
        case spec.NeuronDeepLift():
            lift = captum.NeuronDeepLift(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            return lift.attribute(inputs, baselines=p.baselines, **unit)
        case spec.NeuronDeepLiftShap():
            lift = captum.NeuronDeepLiftShap(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            return lift.attribute(inputs, baselines=several(p.baseline_distribution), **unit)
        case spec.NeuronGradientShap():
            shap = captum.NeuronGradientShap(module, layer, multiply_by_inputs=method.multiply_by_inputs)
            noise = {"n_samples": method.n_samples, "stdevs": method.stdevs}
            return shap.attribute(inputs, baselines=p.baseline_distribution, **noise, **unit)
        case spec.NeuronGuidedBackprop():
            return captum.NeuronGuidedBackprop(module, layer).attribute(inputs, **unit)
        case spec.NeuronDeconvolution():
            return captum.NeuronDeconvolution(module, layer).attribute(inputs, **unit)
        case spec.NeuronFeatureAblation():
            ablation = captum.NeuronFeatureAblation(module, layer)
            return ablation.attribute(inputs, baselines=p.baselines, feature_mask=p.feature_mask, **unit)
    raise AssertionError(method)
