"""The methods of the shared lane by name: their rows share passes with those of other jobs."""

from collections.abc import Callable
from typing import Any

from workers.engine.seams import Seams
from workers.methods import adaptive, gradient, perturbation, sampling
from workers.methods.converged import Stopped
from workers.methods.explain_inputs import ExplainInputs, Tensors

SHARED: dict[str, Callable[[Any, Seams, ExplainInputs, int], Tensors]] = {
    function.__name__: function
    for function in (
        gradient.saliency,
        gradient.input_x_gradient,
        gradient.integrated_gradients,
        gradient.gradient_shap,
        gradient.smooth_grad,
        perturbation.occlusion,
        perturbation.feature_ablation,
        perturbation.feature_permutation,
        perturbation.shapley_value_sampling,
        perturbation.shapley_values,
        perturbation.kernel_shap,
        perturbation.lime,
    )
}
STOPPING: dict[
    str, Callable[[Any, Seams, ExplainInputs, int], Stopped]
] = {  # in place of those above, where asked to stop
    function.__name__: function
    for function in (
        adaptive.integrated_gradients,
        sampling.smooth_grad,
        sampling.shapley_value_sampling,
        sampling.kernel_shap,
    )
}
