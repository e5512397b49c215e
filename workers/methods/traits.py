"""What sets methods apart, as far as the worker treats them differently."""

DRAWS = frozenset(  # random numbers are used
    {
        "gradient_shap",
        "smooth_grad",
        "feature_permutation",
        "shapley_value_sampling",
        "kernel_shap",
        "lime",
        "layer_gradient_shap",
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
    {"gradient_shap", "layer_gradient_shap", "neuron_gradient_shap", "deep_lift_shap", "layer_deep_lift_shap"}
)
COMPLETE = frozenset(  # attributions add up to f(input) - f(baseline)
    {"integrated_gradients", "deep_lift", "layer_integrated_gradients", "layer_deep_lift", "layer_conductance"}
)
