"""Methods that replace the backward pass of the model's own modules: DeepLIFT, guided backpropagation, LRP."""

from typing import Any

import captum.attr as captum

from schemas import methods as spec
from schemas.errors import InputRejected
from schemas.sentences import Sentence
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.calls import HookedCalls
from workers.methods.solo.hooked_call import (
    Tensors,
    baselines,
    hooked_call,
    location,
    side,
    target,
    unit,
)
from workers.methods.solo.token_maps import grad_cam_of_tokens


def guided_grad_cam(method: spec.GuidedGradCam, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Guided Grad-CAM, by Captum where the layer yields a map, and over the token grid where it yields tokens."""
    if view.token_grid is None:
        return _captum_guided_grad_cam(method, view, call, batch_rows)
    module, layer = location(method, view)
    (cam,) = grad_cam_of_tokens(method, view.token_grid, module, layer, call, relu=True)
    (guided,) = _guided_backprop(spec.GuidedBackprop(), view, call, batch_rows)
    size = tuple(call.inputs[0].shape[2:])
    return (guided * captum.LayerAttribution.interpolate(cam, size, interpolate_mode=method.interpolate_mode),)


def layer_lrp(method: spec.LayerLrp, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """LRP's relevance at a layer.

    Raises:
        InputRejected: LRP has no rule for the layer and lets relevance pass, as through an activation.
    """
    try:
        return _captum_layer_lrp(method, view, call, batch_rows)
    except AttributeError as error:  # Captum reads the relevance that the layer's rule keeps, and finds no rule
        raise InputRejected(
            Sentence("LRP keeps no relevance at {layer!r}; choose a layer with weights", layer=method.layer)
        ) from error


def _interpolation(method: spec.GuidedGradCam, _call: SoloCall, _batch_rows: int) -> dict[str, Any]:
    return {"interpolate_mode": method.interpolate_mode}


_guided_backprop = hooked_call(captum.GuidedBackprop, target)
_captum_guided_grad_cam = hooked_call(captum.GuidedGradCam, target, side, _interpolation)
_captum_layer_lrp = hooked_call(captum.LayerLRP, target, side)

# Of the methods over a distribution each call has pairs, one baseline for each example; see `workers.methods.pairs`.
CALLS: HookedCalls = {
    spec.DeepLift: hooked_call(captum.DeepLift, target, baselines),
    spec.DeepLiftShap: hooked_call(captum.DeepLift, target, baselines),
    spec.GuidedBackprop: _guided_backprop,
    spec.Deconvolution: hooked_call(captum.Deconvolution, target),
    spec.GuidedGradCam: guided_grad_cam,
    spec.Lrp: hooked_call(captum.LRP, target),
    spec.LayerDeepLift: hooked_call(captum.LayerDeepLift, target, baselines, side),
    spec.LayerDeepLiftShap: hooked_call(captum.LayerDeepLift, target, baselines, side),
    spec.LayerLrp: layer_lrp,
    spec.NeuronDeepLift: hooked_call(captum.NeuronDeepLift, baselines, unit),
    spec.NeuronDeepLiftShap: hooked_call(captum.NeuronDeepLift, baselines, unit),
    spec.NeuronGuidedBackprop: hooked_call(captum.NeuronGuidedBackprop, unit),
    spec.NeuronDeconvolution: hooked_call(captum.NeuronDeconvolution, unit),
}
