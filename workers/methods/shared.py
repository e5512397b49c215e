"""Methods of the shared lane: Captum's own classes over the two seams."""

from collections.abc import Callable
from typing import Any

from captum.attr import (
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Occlusion,
    Saliency,
)

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.problem import Problem, Tensors

MIN_CHUNK_ROWS = 64  # rows a job hands over at once; bounds its memory, and is enough to keep a batch full


def chunk_rows(batch_rows: int, examples: int) -> int:
    """Rows that Captum should expand at once: two batches, so that passes stay full while a job comes back for more."""
    return max(MIN_CHUNK_ROWS, 2 * batch_rows, examples)


def _saliency(m: spec.Saliency, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    return _tuple(_gradient(Saliency(seams.forward), seams).attribute(p.inputs, **_common(p), abs=m.abs))


def _input_x_gradient(m: spec.InputXGradient, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    return _tuple(_gradient(InputXGradient(seams.forward), seams).attribute(p.inputs, **_common(p)))


def _integrated_gradients(m: spec.IntegratedGradients, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    method = _gradient(IntegratedGradients(seams.forward, multiply_by_inputs=m.multiply_by_inputs), seams)
    return _tuple(
        method.attribute(
            p.inputs,
            baselines=p.baselines,
            **_common(p),
            n_steps=m.n_steps,
            method=m.method,
            internal_batch_size=chunk_rows(batch_rows, p.examples),
        )
    )


def _gradient_shap(m: spec.GradientShap, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    method = _gradient(GradientShap(seams.forward, multiply_by_inputs=m.multiply_by_inputs), seams)
    return _tuple(
        method.attribute(p.inputs, baselines=p.distribution, **_common(p), n_samples=m.n_samples, stdevs=m.stdevs)
    )


def _smooth_grad(m: spec.SmoothGrad, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    options: dict[str, Any] = {}
    if m.attribution_method == "saliency":
        inner = Saliency(seams.forward)
        options = {"abs": m.abs}
    elif m.attribution_method == "input_x_gradient":
        inner = InputXGradient(seams.forward)
    else:
        inner = IntegratedGradients(seams.forward)
        chunk = chunk_rows(batch_rows, p.examples * m.nt_samples)
        options = {"baselines": p.baselines, "n_steps": m.n_steps, "internal_batch_size": chunk}
    method = NoiseTunnel(_gradient(inner, seams))
    return _tuple(
        method.attribute(p.inputs, nt_type=m.nt_type, nt_samples=m.nt_samples, stdevs=m.stdevs, **_common(p), **options)
    )


def _occlusion(m: spec.Occlusion, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    window = tuple(m.sliding_window_shapes or ()) + tuple(p.inputs[0].shape[1 + len(m.sliding_window_shapes or ()) :])
    strides = tuple(m.strides or window) + window[len(m.strides or window) :]
    count = len(p.inputs)
    return _tuple(
        Occlusion(seams.forward).attribute(
            p.inputs,
            sliding_window_shapes=(window,) * count,
            strides=(strides,) * count,
            baselines=p.baselines,
            **_common(p),
            perturbations_per_eval=_perturbations(batch_rows, p.examples),
        )
    )


def _feature_ablation(m: spec.FeatureAblation, seams: Seams, p: Problem, batch_rows: int) -> Tensors:
    return _tuple(
        FeatureAblation(seams.forward).attribute(
            p.inputs,
            baselines=p.baselines,
            **_common(p),
            feature_mask=p.feature_mask,
            perturbations_per_eval=_perturbations(batch_rows, p.examples),
        )
    )


def _gradient(method: Any, seams: Seams) -> Any:
    method.gradient_func = seams.gradient
    return method


def _perturbations(batch_rows: int, examples: int) -> int:
    return max(1, chunk_rows(batch_rows, 1) // examples)


def _common(p: Problem) -> dict[str, Any]:
    return {"target": captum_target(p.targets), "additional_forward_args": p.extras or None}


def captum_target(targets: list[int] | None) -> int | list[int] | None:
    """One index for all examples, or one each: Captum repeats a list along the path only if it is longer than one."""
    if targets is None:
        return None
    return targets[0] if len(targets) == 1 else targets


def _tuple(attributions: Any) -> Tensors:
    tensors = attributions if isinstance(attributions, tuple) else (attributions,)
    return tuple(tensor.detach() for tensor in tensors)


SHARED: dict[str, Callable[[Any, Seams, Problem, int], Tensors]] = {
    "saliency": _saliency,
    "input_x_gradient": _input_x_gradient,
    "integrated_gradients": _integrated_gradients,
    "gradient_shap": _gradient_shap,
    "smooth_grad": _smooth_grad,
    "occlusion": _occlusion,
    "feature_ablation": _feature_ablation,
}
DRAWS = frozenset({"gradient_shap", "smooth_grad"})  # methods that use random numbers
PERTURBS = frozenset(
    {"occlusion", "feature_ablation"}
)  # methods that give each element its whole feature's attribution
