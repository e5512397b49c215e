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
PERMUTES = frozenset({"feature_permutation", "layer_feature_permutation"})  # between examples, of which it needs two


def stops_by_itself(method: AnyMethod) -> bool:
    """Whether steps or samples end where the answer is good enough."""
    return getattr(method, "n_steps", None) == "auto" or getattr(method, "tolerance", None) is not None
