"""Methods that explain an output by the units of a layer."""

from typing import Literal

from pydantic import Field

from schemas.methods.cost import Cost, Sizes
from schemas.methods.families import (
    DeepLiftMethod,
    DeepLiftShapMethod,
    LayerMethod,
    LrpMethod,
    PathMethod,
    SampledMethod,
    WeightedPathMethod,
)
from schemas.methods.fields import MultiplyByActivations
from schemas.tensors import TensorValue


class LayerGradCam(LayerMethod):
    entry = "model"
    computes_grad_cam = True

    name: Literal["layer_grad_cam"] = "layer_grad_cam"
    relu_attributions: bool = Field(
        default=False, description="Keep only what is positive, as the paper does; `false` keeps the sign."
    )
    attr_dim_summation: bool = Field(
        default=True, description="Whether the weighted maps of all channels are summed, or kept apart."
    )


class LayerIntegratedGradients(LayerMethod, WeightedPathMethod):
    entry = "model"
    completeness = "exactly"
    at_embedding = True

    name: Literal["layer_integrated_gradients"] = "layer_integrated_gradients"
    multiply_by_inputs: MultiplyByActivations = True

    def cost(self, sizes: Sizes) -> Cost:
        return super().cost(sizes) + Cost.of(2, "rows for the layer at both ends")


class LayerGradientXActivation(LayerMethod):
    entry = "model"

    name: Literal["layer_gradient_x_activation"] = "layer_gradient_x_activation"
    multiply_by_inputs: MultiplyByActivations = True


class LayerActivation(LayerMethod):
    entry = "model"
    gradients = frozenset()

    name: Literal["layer_activation"] = "layer_activation"


class LayerConductance(LayerMethod, PathMethod):
    completeness = "exactly"
    needs_batch = True

    name: Literal["layer_conductance"] = "layer_conductance"

    def cost(self, sizes: Sizes) -> Cost:
        return super().cost(sizes) + Cost(1)


class InternalInfluence(LayerMethod, PathMethod):
    name: Literal["internal_influence"] = "internal_influence"


class LayerGradientShap(LayerMethod, SampledMethod):
    needs_batch = True

    name: Literal["layer_gradient_shap"] = "layer_gradient_shap"
    multiply_by_inputs: MultiplyByActivations = True

    def cost(self, sizes: Sizes) -> Cost:
        return super().cost(sizes) * Cost.of(3, "rows for gradient, input and baseline")


class LayerDeepLift(LayerMethod, DeepLiftMethod):
    completeness = "exactly"

    name: Literal["layer_deep_lift"] = "layer_deep_lift"
    multiply_by_inputs: MultiplyByActivations = True


class LayerDeepLiftShap(LayerMethod, DeepLiftShapMethod):
    completeness = "on_average"

    name: Literal["layer_deep_lift_shap"] = "layer_deep_lift_shap"
    multiply_by_inputs: MultiplyByActivations = True


class LayerLrp(LayerMethod, LrpMethod):
    gradients = frozenset({"output_to_input", "output_to_layer"})  # relevance goes all the way down

    name: Literal["layer_lrp"] = "layer_lrp"


class LayerFeatures(LayerMethod):
    """Units of a layer are altered one by one, or in groups."""

    entry = "model"
    gradients = frozenset()
    perturbs = "layer"

    layer_mask: TensorValue | None = Field(
        default=None, description="Which units are one feature, of the layer's shape. Default: each by itself."
    )

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(sizes.units + 2, "units, the layer and the input themselves")


class LayerFeatureAblation(LayerFeatures):
    name: Literal["layer_feature_ablation"] = "layer_feature_ablation"
    layer_baselines: float | TensorValue = Field(
        default=0.0,
        description="What a unit is set to when it is taken away: one number, or a tensor of the layer's shape.",
    )


class LayerFeaturePermutation(LayerFeatures):
    """Units are exchanged between the examples of the request, of which there must be several."""

    draws = True
    permutes = True

    name: Literal["layer_feature_permutation"] = "layer_feature_permutation"
