"""Methods with backward rules in the shared lane: the engine's rule modules give multipliers in the place of gradients.

What remains of Captum's classes is a product and a mean. Their hooks are what cannot share a pass.
"""

from collections.abc import Iterator

import torch
from captum.attr import LayerAttribution
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.engine.shared.block import AppliedRule
from workers.methods.calls import SharedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.explained_output import target_per_example
from workers.methods.solo.request import solo_request


def deep_lift(method: spec.DeepLift, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """(inputs - baselines) * multipliers, or the multipliers alone."""
    if subject.baselines is None:
        raise ValueError("baselines are needed")
    rule = AppliedRule("rescale", method.eps)
    multipliers = seams.under_rule(
        rule, subject.inputs, _targets(subject), subject.additional_forward_args, subject.baselines
    )
    if not method.multiply_by_inputs:
        return multipliers
    given = zip(subject.inputs, subject.baselines, multipliers, strict=True)
    return tuple((one - baseline) * multiplier for one, baseline, multiplier in given)


def deep_lift_shap(method: spec.DeepLiftShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """The mean of DeepLIFT over the baseline distribution: each example with each baseline, some pairs at a time."""
    if subject.baseline_distribution is None:
        raise ValueError("a distribution of baselines is needed")
    rule = AppliedRule("rescale", spec.DeepLift.default("eps"))
    targets, totals = _targets(subject), tuple(map(torch.zeros_like, subject.inputs))
    count = subject.baseline_distribution[0].shape[0]
    for rows, drawn in _pairs(subject.examples, count, chunk_rows(batch_rows, 1)):
        inputs = tuple(tensor[rows] for tensor in subject.inputs)
        baselines = tuple(tensor[drawn] for tensor in subject.baseline_distribution)
        more = tuple(tensor[rows] for tensor in subject.additional_forward_args)
        multipliers = seams.under_rule(rule, inputs, None if targets is None else targets[rows], more, baselines)
        for total, one, baseline, multiplier in zip(totals, inputs, baselines, multipliers, strict=True):
            total.index_add_(0, rows, (one - baseline) * multiplier if method.multiply_by_inputs else multiplier)
    return tuple(total / count for total in totals)


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


def _pairs(examples: int, baselines: int, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The places of examples and baselines, (pairs,) each, of all pairs; at most so many at once."""
    for part in torch.split(torch.arange(examples * baselines), most):
        yield part // baselines, part % baselines


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
