"""Methods at a layer: they attribute to its units, or explain one of them. Hooks fire inside the real forward."""

from typing import Any

import captum.attr as captum

from schemas import methods as spec
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.calls import HookedCalls
from workers.methods.solo import layer_perturbation
from workers.methods.solo.hooked_call import (
    Tensors,
    baselines,
    distribution,
    features,
    hooked_call,
    location,
    noise,
    path,
    side,
    target,
    unit,
)
from workers.methods.solo.token_maps import grad_cam_of_tokens


def layer_grad_cam(method: spec.LayerGradCam, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Grad-CAM, by Captum where the layer yields a map, and over the token grid where it yields tokens."""
    if view.token_grid is None:
        return _captum_grad_cam(method, view, call, batch_rows)
    relu, summed = method.relu_attributions, method.attr_dim_summation
    module, layer = location(method, view)
    return grad_cam_of_tokens(method, view.token_grid, module, layer, call, relu=relu, summed=summed)


def _channels(method: spec.LayerGradCam, _call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    return {"relu_attributions": method.relu_attributions, "attr_dim_summation": method.attr_dim_summation}


_captum_grad_cam = hooked_call(captum.LayerGradCam, target, side, _channels)

CALLS: HookedCalls = {
    spec.LayerGradCam: layer_grad_cam,
    spec.LayerIntegratedGradients: hooked_call(captum.LayerIntegratedGradients, target, baselines, path, side),
    spec.LayerGradientXActivation: hooked_call(captum.LayerGradientXActivation, target, side),
    spec.LayerActivation: hooked_call(captum.LayerActivation, side),
    spec.LayerConductance: hooked_call(captum.LayerConductance, target, baselines, path, side),
    spec.InternalInfluence: hooked_call(captum.InternalInfluence, target, baselines, path, side),
    spec.LayerGradientShap: hooked_call(captum.LayerGradientShap, target, distribution, noise, side),
    spec.LayerFeatureAblation: layer_perturbation.layer_feature_ablation,
    spec.LayerFeaturePermutation: layer_perturbation.layer_feature_permutation,
    spec.NeuronGradient: hooked_call(captum.NeuronGradient, unit),
    spec.NeuronIntegratedGradients: hooked_call(captum.NeuronIntegratedGradients, baselines, path, unit),
    spec.NeuronConductance: hooked_call(captum.NeuronConductance, target, baselines, path, unit),
    spec.NeuronGradientShap: hooked_call(captum.NeuronGradientShap, distribution, noise, unit),
    spec.NeuronFeatureAblation: hooked_call(captum.NeuronFeatureAblation, baselines, features, unit),
}
