"""Methods with backward rules in the shared lane: the engine's rule modules give multipliers in the place of gradients.

What remains of Captum's classes is a product and a mean. Their hooks are what cannot share a pass.
"""

import torch
from captum.attr import LayerAttribution
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.engine.shared.block import AppliedRule
from workers.methods.calls import SharedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.explained_output import target_per_example
from workers.methods.pairs import mean_over_pairs
from workers.methods.solo.request import solo_request


def deep_lift(method: spec.DeepLift, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    return _deep_lift(method, method.eps, seams, subject)


def deep_lift_shap(method: spec.DeepLiftShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    eps = spec.DeepLift.default("eps")
    return mean_over_pairs(subject, chunk_rows(batch_rows, 1), lambda pairs: _deep_lift(method, eps, seams, pairs))


def _deep_lift(method: spec.DeepLift | spec.DeepLiftShap, eps: float, seams: Seams, subject: ExplainInputs) -> Tensors:
    """(inputs - baselines) * multipliers, or the multipliers alone."""
    if subject.baselines is None:
        raise ValueError("baselines are needed")
    multipliers = seams.under_rule(
        AppliedRule("rescale", eps),
        subject.inputs,
        _targets(subject),
        subject.additional_forward_args,
        subject.baselines,
    )
    if not method.multiply_by_inputs:
        return multipliers
    given = zip(subject.inputs, subject.baselines, multipliers, strict=True)
    return tuple((one - baseline) * multiplier for one, baseline, multiplier in given)


def guided_backprop(method: spec.GuidedBackprop, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    return _modified_gradient(AppliedRule("guided"), seams, subject)


def deconvolution(method: spec.Deconvolution, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    return _modified_gradient(AppliedRule("deconvolution"), seams, subject)


def guided_grad_cam(method: spec.GuidedGradCam, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """Guided backpropagation times Grad-CAM's map, enlarged to the size of the input. Grad-CAM takes the solo lane.

    An input whose places the map cannot be laid over has an empty attribution, as in Captum.
    """
    guided = _modified_gradient(AppliedRule("guided"), seams, subject)
    grad_cam = spec.LayerGradCam(
        layer=method.layer, attribute_to_layer_input=method.attribute_to_layer_input, relu_attributions=True
    )
    (cam,) = seams.engine.solo(solo_request(seams.engine, seams.task, grad_cam, subject))
    return tuple(
        one * LayerAttribution.interpolate(cam, tuple(one.shape[2:]), method.interpolate_mode)
        if one.dim() == cam.dim()
        else torch.empty(0)
        for one in guided
    )


def _modified_gradient(rule: AppliedRule, seams: Seams, subject: ExplainInputs) -> Tensors:
    return seams.under_rule(rule, subject.inputs, _targets(subject), subject.additional_forward_args)


def _targets(subject: ExplainInputs) -> Tensor | None:
    """(examples,) or (examples, dimensions); None for a scalar output."""
    if subject.targets is None:
        return None
    return target_per_example(subject.targets, subject.examples, torch.device("cpu"))


CALLS: SharedCalls = {
    spec.DeepLift: deep_lift,
    spec.DeepLiftShap: deep_lift_shap,
    spec.GuidedBackprop: guided_backprop,
    spec.Deconvolution: deconvolution,
    spec.GuidedGradCam: guided_grad_cam,
}
