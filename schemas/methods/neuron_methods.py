"""Methods that explain one unit of a layer by the model's inputs."""

from typing import Literal

from pydantic import Field

from schemas.methods.families import (
    AblationMethod,
    BaselineMethod,
    DeepLiftMethod,
    DeepLiftShapMethod,
    GuidedMethod,
    NeuronMethod,
    SampledMethod,
    WeightedPathMethod,
)
from schemas.methods.fields import MultiplyByInputs, Quadrature


class NeuronGradient(NeuronMethod):
    name: Literal["neuron_gradient"] = "neuron_gradient"


class NeuronIntegratedGradients(NeuronMethod, WeightedPathMethod):
    name: Literal["neuron_integrated_gradients"] = "neuron_integrated_gradients"

    @property
    def sums_to_difference(self) -> bool:
        return self.multiply_by_inputs


class NeuronConductance(NeuronMethod, WeightedPathMethod):
    gradients = frozenset({"output_to_layer", "unit_to_input"})
    needs_batch = True

    name: Literal["neuron_conductance"] = "neuron_conductance"
    method: Quadrature = Field(default="riemann_trapezoid", description="Quadrature rule along the path.")


class NeuronDeepLift(NeuronMethod, DeepLiftMethod):
    name: Literal["neuron_deep_lift"] = "neuron_deep_lift"
    multiply_by_inputs: MultiplyByInputs = True


class NeuronDeepLiftShap(NeuronMethod, DeepLiftShapMethod):
    name: Literal["neuron_deep_lift_shap"] = "neuron_deep_lift_shap"
    multiply_by_inputs: MultiplyByInputs = True


class NeuronGradientShap(NeuronMethod, SampledMethod):
    needs_batch = True

    name: Literal["neuron_gradient_shap"] = "neuron_gradient_shap"


class NeuronGuidedBackprop(NeuronMethod, GuidedMethod):
    name: Literal["neuron_guided_backprop"] = "neuron_guided_backprop"


class NeuronDeconvolution(NeuronMethod, GuidedMethod):
    name: Literal["neuron_deconvolution"] = "neuron_deconvolution"


class NeuronFeatureAblation(NeuronMethod, BaselineMethod, AblationMethod):
    gradients = frozenset()

    name: Literal["neuron_feature_ablation"] = "neuron_feature_ablation"
