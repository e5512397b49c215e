"""Gradient methods of the shared lane: Captum's own classes over the gradient seam."""

from typing import Any

import captum.attr as captum

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.calls import SharedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target, chunk_rows, detached
from workers.methods.shared.path_integral import PathIntegral


def saliency(method: spec.Saliency, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    gradient = _over_seam(captum.Saliency(seams.forward), seams)
    return detached(gradient.attribute(subject.inputs, **_common(subject), abs=method.abs))


def input_x_gradient(method: spec.InputXGradient, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    gradient = _over_seam(captum.InputXGradient(seams.forward), seams)
    return detached(gradient.attribute(subject.inputs, **_common(subject)))


def integrated_gradients(
    method: spec.IntegratedGradients, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    gradients = PathIntegral(seams.forward, multiply_by_inputs=method.multiply_by_inputs)
    return detached(
        _over_seam(gradients, seams).attribute(
            subject.inputs,
            baselines=subject.baselines,
            **_common(subject),
            n_steps=method.n_steps,
            method=method.method,
            internal_batch_size=chunk_rows(batch_rows, subject.examples),
        )
    )


def gradient_shap(method: spec.GradientShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    shap = captum.GradientShap(seams.forward, multiply_by_inputs=method.multiply_by_inputs)
    return detached(
        _over_seam(shap, seams).attribute(
            subject.inputs,
            baselines=subject.baseline_distribution,
            **_common(subject),
            n_samples=method.n_samples,
            stdevs=method.stdevs,
        )
    )


def smooth_grad(method: spec.SmoothGrad, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    inner, options = noisy_method(method, seams, subject, batch_rows, method.nt_samples)
    return detached(
        captum.NoiseTunnel(inner).attribute(
            subject.inputs, nt_type=method.nt_type, nt_samples=method.nt_samples, stdevs=method.stdevs, **options
        )
    )


def noisy_method(
    method: spec.SmoothGrad, seams: Seams, subject: ExplainInputs, batch_rows: int, samples: int
) -> tuple[Any, dict[str, Any]]:
    """The Captum method that runs on noisy copies, `samples` of each example at a time, and its arguments."""
    options: dict[str, Any] = {}
    if method.attribution_method == "saliency":
        inner = captum.Saliency(seams.forward)
        options = {"abs": method.abs}
    elif method.attribution_method == "input_x_gradient":
        inner = captum.InputXGradient(seams.forward)
    else:
        inner = PathIntegral(seams.forward)
        chunk = chunk_rows(batch_rows, subject.examples * samples)
        options = {"baselines": subject.baselines, "n_steps": method.n_steps, "internal_batch_size": chunk}
    return _over_seam(inner, seams), {**_common(subject), **options}


def _over_seam(captum_method: Any, seams: Seams) -> Any:
    captum_method.gradient_func = seams.gradient
    return captum_method


def _common(subject: ExplainInputs) -> dict[str, Any]:
    return {
        "target": captum_target(subject.targets),
        "additional_forward_args": subject.additional_forward_args or None,
    }


CALLS: SharedCalls = {
    spec.Saliency: saliency,
    spec.InputXGradient: input_x_gradient,
    spec.IntegratedGradients: integrated_gradients,
    spec.GradientShap: gradient_shap,
    spec.SmoothGrad: smooth_grad,
}
