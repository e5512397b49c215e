"""Methods that explain one unit of a layer by the inputs."""

from typing import Any

from captum.attr import (
    NeuronConductance,
    NeuronDeconvolution,
    NeuronDeepLift,
    NeuronDeepLiftShap,
    NeuronFeatureAblation,
    NeuronGradient,
    NeuronGradientShap,
    NeuronGuidedBackprop,
    NeuronIntegratedGradients,
)
from torch import nn

from schemas import methods as spec
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.captum_arguments import Tensors, additional_forward_args, along, as_tuple, leaves, targeted
from workers.methods.rules import mean_over_baselines


def neuron_gradient(m: spec.NeuronGradient, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        NeuronGradient(*_at(m, view)).attribute(leaves(call.inputs), **_unit(m), **additional_forward_args(call))
    )


def neuron_integrated_gradients(
    m: spec.NeuronIntegratedGradients, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    method = NeuronIntegratedGradients(*_at(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs),
            baselines=call.baselines,
            **along(m, call, batch_rows),
            **_unit(m),
            **additional_forward_args(call),
        )
    )


def neuron_conductance(m: spec.NeuronConductance, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = NeuronConductance(*_at(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs), baselines=call.baselines, **along(m, call, batch_rows), **_unit(m), **targeted(call)
        )
    )


def neuron_deep_lift(m: spec.NeuronDeepLift, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = NeuronDeepLift(*_at_hooks(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(leaves(call.inputs), baselines=call.baselines, **_unit(m), **additional_forward_args(call))
    )


def neuron_deep_lift_shap(m: spec.NeuronDeepLiftShap, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    def run(baselines: Tensors) -> Tensors:
        method = NeuronDeepLiftShap(*_at_hooks(m, view), multiply_by_inputs=m.multiply_by_inputs)
        return as_tuple(
            method.attribute(leaves(call.inputs), baselines=baselines, **_unit(m), **additional_forward_args(call))
        )

    return mean_over_baselines(run, view, call, batch_rows)


def neuron_gradient_shap(m: spec.NeuronGradientShap, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    method = NeuronGradientShap(*_at(m, view), multiply_by_inputs=m.multiply_by_inputs)
    return as_tuple(
        method.attribute(
            leaves(call.inputs),
            baselines=call.baseline_distribution,
            n_samples=m.n_samples,
            stdevs=m.stdevs,
            **_unit(m),
            **additional_forward_args(call),
        )
    )


def neuron_guided_backprop(m: spec.NeuronGuidedBackprop, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        NeuronGuidedBackprop(*_at_hooks(m, view)).attribute(
            leaves(call.inputs), **_unit(m), **additional_forward_args(call)
        )
    )


def neuron_deconvolution(m: spec.NeuronDeconvolution, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        NeuronDeconvolution(*_at_hooks(m, view)).attribute(
            leaves(call.inputs), **_unit(m), **additional_forward_args(call)
        )
    )


def neuron_feature_ablation(m: spec.NeuronFeatureAblation, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    return as_tuple(
        NeuronFeatureAblation(*_at(m, view)).attribute(
            call.inputs,
            baselines=call.baselines,
            feature_mask=call.feature_mask,
            perturbations_per_eval=max(1, batch_rows // call.examples),
            **_unit(m),
            **additional_forward_args(call),
        )
    )


def _at(m: Any, view: ModelView) -> tuple[nn.Module, nn.Module]:
    return view.module, view.layer(m.layer)


def _at_hooks(m: Any, view: ModelView) -> tuple[nn.Module, nn.Module]:
    return view.hook_module, view.hook_layer(m.layer)


def _unit(m: Any) -> dict[str, Any]:
    unit = m.neuron_selector if isinstance(m.neuron_selector, int) else tuple(m.neuron_selector)
    return {"neuron_selector": unit, "attribute_to_neuron_input": m.attribute_to_neuron_input}
