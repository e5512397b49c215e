"""What sets methods apart, as far as gateway and worker treat them differently."""

from schemas.methods import AnyMethod

DRAWS = frozenset(  # random numbers are used
    {
        "gradient_shap",
        "smooth_grad",
        "feature_permutation",
        "shapley_value_sampling",
        "kernel_shap",
        "lime",
        "layer_gradient_shap",
        "layer_feature_permutation",
        "neuron_gradient_shap",
    }
)
PERTURBS = frozenset(  # each element is given its whole feature's attribution
    {
        "occlusion",
        "feature_ablation",
        "feature_permutation",
        "shapley_value_sampling",
        "shapley_values",
        "kernel_shap",
        "lime",
        "neuron_feature_ablation",
    }
)
DISTRIBUTED = frozenset(  # baselines are a distribution
    {
        "gradient_shap",
        "layer_gradient_shap",
        "neuron_gradient_shap",
        "deep_lift_shap",
        "layer_deep_lift_shap",
        "neuron_deep_lift_shap",
    }
)
COMPLETE = frozenset(  # attributions add up to f(input) - f(baseline)
    {"integrated_gradients", "deep_lift", "layer_integrated_gradients", "layer_deep_lift", "layer_conductance"}
)
PERTURBS_LAYERS = frozenset({"layer_feature_ablation", "layer_feature_permutation"})
AT_THE_INPUT = frozenset({"saliency", "input_x_gradient"})  # one gradient, whose pass tells the prediction as well
WITHOUT_GRADIENTS = PERTURBS | PERTURBS_LAYERS | {"layer_activation"}  # integers will do
NOISY = frozenset(  # all samples are expanded at once, so that a seed is one draw
    {"gradient_shap", "smooth_grad", "layer_gradient_shap", "neuron_gradient_shap"}
)
GRADIENT_TO_LAYER = frozenset(  # they take the gradient of the output with respect to the layer
    {
        "guided_grad_cam",
        "layer_grad_cam",
        "layer_integrated_gradients",
        "layer_gradient_x_activation",
        "layer_conductance",
        "internal_influence",
        "layer_gradient_shap",
        "layer_deep_lift",
        "layer_deep_lift_shap",
        "layer_lrp",
        "neuron_conductance",
    }
)
GRADIENT_OF_UNIT = frozenset(  # they take the gradient of a unit with respect to the input
    {
        "neuron_gradient",
        "neuron_integrated_gradients",
        "neuron_conductance",
        "neuron_deep_lift",
        "neuron_deep_lift_shap",
        "neuron_gradient_shap",
        "neuron_guided_backprop",
        "neuron_deconvolution",
    }
)
GUIDED_AT_UNIT = frozenset({"neuron_guided_backprop", "neuron_deconvolution"})
PERMUTES = frozenset({"feature_permutation", "layer_feature_permutation"})  # between examples, of which it needs two
EFFICIENT = frozenset({"shapley_value_sampling", "shapley_values", "kernel_shap"})  # so do they, by Shapley's axiom
COMPLETE_ON_AVERAGE = frozenset({"deep_lift_shap", "layer_deep_lift_shap"})  # to f(input) - mean f(baselines)
# These are entered where the model itself is: for texts at the token ids, so that every layer is on the way. The others
# interpolate or perturb their inputs, which ids do not allow; texts enter them at the embeddings.
FROM_THE_MODELS_OWN_INPUT = frozenset(
    {
        "layer_grad_cam",
        "layer_integrated_gradients",
        "layer_gradient_x_activation",
        "layer_activation",
        "layer_feature_ablation",
        "layer_feature_permutation",
    }
)
OF_ONE_UNIT = "neuron_"  # how the names of methods begin that explain a unit of a layer, not an output
_RATES = frozenset({"saliency", "guided_backprop", "deconvolution", "guided_grad_cam"})


def stops_by_itself(method: AnyMethod) -> bool:
    """Whether steps or samples end where the answer is good enough."""
    return getattr(method, "n_steps", None) == "auto" or getattr(method, "tolerance", None) is not None


def promises_completeness(method: AnyMethod) -> bool:
    """Whether attributions add up to f(input) - f(baseline)."""
    return method.name in COMPLETE | EFFICIENT | COMPLETE_ON_AVERAGE and getattr(method, "multiply_by_inputs", True)


def tells_rates(method: AnyMethod) -> bool:
    """Whether attributions are the output's rate of change at an element ("local"), not its share of a difference.

    Source: Ancona et al., "Towards better understanding of gradient-based attribution methods" (2018).
    """
    if method.name == "smooth_grad":
        return bool(method.attribution_method == "saliency")
    return method.name in _RATES or not getattr(method, "multiply_by_inputs", True)
