"""Gradient methods of the shared lane: Captum's own classes over the gradient seam."""

from typing import Any

from captum.attr import GradientShap, InputXGradient, IntegratedGradients, NoiseTunnel, Saliency

import workers.methods.nodes  # noqa: F401  (Captum's quadrature, kept)
from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target, chunk_rows, detached


def saliency(m: spec.Saliency, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(_gradient(Saliency(seams.forward), seams).attribute(p.inputs, **_common(p), abs=m.abs))


def input_x_gradient(m: spec.InputXGradient, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(_gradient(InputXGradient(seams.forward), seams).attribute(p.inputs, **_common(p)))


def integrated_gradients(m: spec.IntegratedGradients, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    method = _gradient(IntegratedGradients(seams.forward, multiply_by_inputs=m.multiply_by_inputs), seams)
    return detached(
        method.attribute(
            p.inputs,
            baselines=p.baselines,
            **_common(p),
            n_steps=m.n_steps,
            method=m.method,
            internal_batch_size=chunk_rows(batch_rows, p.examples),
        )
    )


def gradient_shap(m: spec.GradientShap, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    method = _gradient(GradientShap(seams.forward, multiply_by_inputs=m.multiply_by_inputs), seams)
    return detached(
        method.attribute(
            p.inputs, baselines=p.baseline_distribution, **_common(p), n_samples=m.n_samples, stdevs=m.stdevs
        )
    )


def smooth_grad(m: spec.SmoothGrad, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    inner, options = noisy_method(m, seams, p, batch_rows, m.nt_samples)
    method = NoiseTunnel(inner)
    return detached(method.attribute(p.inputs, nt_type=m.nt_type, nt_samples=m.nt_samples, stdevs=m.stdevs, **options))


def noisy_method(
    m: spec.SmoothGrad, seams: Seams, p: ExplainInputs, batch_rows: int, samples: int
) -> tuple[Any, dict[str, Any]]:
    """What is run on noisy copies, `samples` of each example at a time, and its arguments for the examples."""
    options: dict[str, Any] = {}
    if m.attribution_method == "saliency":
        inner = Saliency(seams.forward)
        options = {"abs": m.abs}
    elif m.attribution_method == "input_x_gradient":
        inner = InputXGradient(seams.forward)
    else:
        inner = IntegratedGradients(seams.forward)
        chunk = chunk_rows(batch_rows, p.examples * samples)
        options = {"baselines": p.baselines, "n_steps": m.n_steps, "internal_batch_size": chunk}
    return _gradient(inner, seams), {**_common(p), **options}


def _gradient(method: Any, seams: Seams) -> Any:
    method.gradient_func = seams.gradient
    return method


def _common(p: ExplainInputs) -> dict[str, Any]:
    return {"target": captum_target(p.targets), "additional_forward_args": p.additional_forward_args or None}
