"""The methods of the solo lane by name: they hang hooks on the model, so they run with it alone."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods import layer_perturbation, layers, neurons, rules
from workers.methods.captum_arguments import Tensors
from workers.methods.leaf_copies import private_tensors
from workers.tracing.embedding import is_embedding

SOLO: dict[str, Callable[[Any, ModelView, SoloCall, int], Tensors]] = {
    function.__name__: function
    for function in (
        rules.deep_lift,
        rules.deep_lift_shap,
        rules.guided_backprop,
        rules.deconvolution,
        rules.guided_grad_cam,
        rules.lrp,
        rules.layer_deep_lift,
        rules.layer_deep_lift_shap,
        rules.layer_lrp,
        layers.layer_grad_cam,
        layers.layer_integrated_gradients,
        layers.layer_gradient_x_activation,
        layers.layer_activation,
        layers.layer_conductance,
        layers.internal_influence,
        layers.layer_gradient_shap,
        layer_perturbation.layer_feature_ablation,
        layer_perturbation.layer_feature_permutation,
        neurons.neuron_gradient,
        neurons.neuron_integrated_gradients,
        neurons.neuron_conductance,
        neurons.neuron_deep_lift,
        neurons.neuron_deep_lift_shap,
        neurons.neuron_gradient_shap,
        neurons.neuron_guided_backprop,
        neurons.neuron_deconvolution,
        neurons.neuron_feature_ablation,
    )
}
_RULES = frozenset(
    name for name in SOLO if any(part in name for part in ("deep_lift", "guided", "deconvolution", "lrp"))
)
TWICE = frozenset({"deep_lift", "layer_deep_lift", "neuron_deep_lift"})  # an example and its baseline in one pass


def attribute(m: Any, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Runs method `m` on the model; see `workers.engine.solo.Attribute`."""
    # Rules hook the tensors around activations, so a copy behind the layer is only for methods without rules.
    layer = None if m.name in _RULES else getattr(m, "layer", None)
    at_input = getattr(m, "attribute_to_layer_input", False) or getattr(m, "attribute_to_neuron_input", False)
    with private_tensors(view, layer, at_input=at_input), _embeddings_trainable(view, call.inputs):
        return SOLO[m.name](m, view, call, batch_rows)


@contextlib.contextmanager
def _embeddings_trainable(view: ModelView, inputs: Tensors) -> Iterator[None]:
    """Weights are frozen, and integers carry no gradient, so from token ids no graph would reach any layer."""
    frozen = []
    if not any(tensor.is_floating_point() for tensor in inputs):
        frozen = [
            parameter
            for module in view.layer_module.modules()
            if is_embedding(module)
            for parameter in module.parameters()
        ]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
