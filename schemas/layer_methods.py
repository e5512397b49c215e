"""Methods that attribute to a layer, and methods that explain one unit of a layer."""

from typing import Literal

from pydantic import Field

from schemas.fields import (
    BaselineMethod,
    FeatureMethod,
    LayerMethod,
    NeuronMethod,
    PathMethod,
    Quadrature,
    SampledMethod,
    WeightedPathMethod,
)
from schemas.tensors import TensorValue


class LayerGradCam(LayerMethod):
    name: Literal["layer_grad_cam"] = "layer_grad_cam"
    relu_attributions: bool = False
    attr_dim_summation: bool = Field(
        default=True, description="Whether the weighted maps of all channels are summed, or kept apart."
    )


class LayerIntegratedGradients(LayerMethod, WeightedPathMethod):
    name: Literal["layer_integrated_gradients"] = "layer_integrated_gradients"


class LayerGradientXActivation(LayerMethod):
    name: Literal["layer_gradient_x_activation"] = "layer_gradient_x_activation"
    multiply_by_inputs: bool = True


class LayerActivation(LayerMethod):
    name: Literal["layer_activation"] = "layer_activation"


class LayerConductance(LayerMethod, PathMethod):
    name: Literal["layer_conductance"] = "layer_conductance"


class InternalInfluence(LayerMethod, PathMethod):
    name: Literal["internal_influence"] = "internal_influence"


class LayerGradientShap(LayerMethod, SampledMethod):
    name: Literal["layer_gradient_shap"] = "layer_gradient_shap"


class LayerDeepLift(LayerMethod, BaselineMethod):
    name: Literal["layer_deep_lift"] = "layer_deep_lift"
    multiply_by_inputs: bool = True


class LayerDeepLiftShap(LayerMethod, BaselineMethod):
    name: Literal["layer_deep_lift_shap"] = "layer_deep_lift_shap"
    multiply_by_inputs: bool = True


class LayerLrp(LayerMethod):
    name: Literal["layer_lrp"] = "layer_lrp"


class LayerFeatures(LayerMethod):
    """Units of a layer are altered one by one, or in groups."""

    layer_mask: TensorValue | None = Field(
        default=None, description="Which units are one feature, of the layer's shape. Default: each by itself."
    )


class LayerFeatureAblation(LayerFeatures):
    name: Literal["layer_feature_ablation"] = "layer_feature_ablation"
    layer_baselines: float | TensorValue = Field(
        default=0.0,
        description="What a unit is set to when it is taken away: one number, or a tensor of the layer's shape.",
    )


class LayerFeaturePermutation(LayerFeatures):
    """Units are exchanged between the examples of the request, of which there must be several."""

    name: Literal["layer_feature_permutation"] = "layer_feature_permutation"


class NeuronGradient(NeuronMethod):
    name: Literal["neuron_gradient"] = "neuron_gradient"


class NeuronIntegratedGradients(NeuronMethod, WeightedPathMethod):
    name: Literal["neuron_integrated_gradients"] = "neuron_integrated_gradients"


class NeuronConductance(NeuronMethod, WeightedPathMethod):
    name: Literal["neuron_conductance"] = "neuron_conductance"
    method: Quadrature = Field(default="riemann_trapezoid", description="Quadrature rule along the path.")


class NeuronDeepLift(NeuronMethod, BaselineMethod):
    name: Literal["neuron_deep_lift"] = "neuron_deep_lift"
    multiply_by_inputs: bool = True


class NeuronDeepLiftShap(NeuronMethod, BaselineMethod):
    name: Literal["neuron_deep_lift_shap"] = "neuron_deep_lift_shap"
    multiply_by_inputs: bool = True


class NeuronGradientShap(NeuronMethod, SampledMethod):
    name: Literal["neuron_gradient_shap"] = "neuron_gradient_shap"


class NeuronGuidedBackprop(NeuronMethod):
    name: Literal["neuron_guided_backprop"] = "neuron_guided_backprop"


class NeuronDeconvolution(NeuronMethod):
    name: Literal["neuron_deconvolution"] = "neuron_deconvolution"


class NeuronFeatureAblation(NeuronMethod, BaselineMethod, FeatureMethod):
    name: Literal["neuron_feature_ablation"] = "neuron_feature_ablation"
