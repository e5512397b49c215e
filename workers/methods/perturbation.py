"""Perturbation methods of the shared lane: Captum's own classes over the forward seam."""

from typing import Any

from captum.attr import (
    FeatureAblation,
    FeaturePermutation,
    KernelShap,
    Lime,
    Occlusion,
    ShapleyValues,
    ShapleyValueSampling,
)

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target, chunk_rows, detached


def occlusion(m: spec.Occlusion, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    """Dimensions that a window does not name, such as a text's embedding, it covers whole."""
    windows = windows_over(m.sliding_window_shapes or [], tuple(tuple(tensor.shape[1:]) for tensor in p.inputs))
    return detached(
        Occlusion(seams.forward).attribute(
            p.inputs,
            sliding_window_shapes=windows,
            strides=None if m.strides is None else windows_over(m.strides, windows),
            baselines=p.baselines,
            **_common(p, batch_rows),
        )
    )


def feature_ablation(m: spec.FeatureAblation, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(FeatureAblation(seams.forward).attribute(p.inputs, **featured(p, batch_rows)))


def feature_permutation(m: spec.FeaturePermutation, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    method = FeaturePermutation(seams.forward)
    return detached(method.attribute(p.inputs, feature_mask=p.feature_mask, **_common(p, batch_rows)))


def shapley_value_sampling(m: spec.ShapleyValueSampling, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    method = ShapleyValueSampling(seams.forward)
    return detached(method.attribute(p.inputs, n_samples=m.n_samples, **featured(p, batch_rows)))


def shapley_values(m: spec.ShapleyValues, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(ShapleyValues(seams.forward).attribute(p.inputs, **featured(p, batch_rows)))


def kernel_shap(m: spec.KernelShap, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(KernelShap(seams.forward).attribute(p.inputs, n_samples=m.n_samples, **featured(p, batch_rows)))


def lime(m: spec.Lime, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return detached(Lime(seams.forward).attribute(p.inputs, n_samples=m.n_samples, **featured(p, batch_rows)))


def windows_over(given: list[Any], whole: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """One window per input, from one for all or a list of them, completed by `whole`."""
    each = given if given and isinstance(given[0], list) else [given] * len(whole)
    return tuple((*window, *full[len(window) :]) for window, full in zip(each, whole, strict=True))


def _common(p: ExplainInputs, batch_rows: int) -> dict[str, Any]:
    return {
        "target": captum_target(p.targets),
        "additional_forward_args": p.additional_forward_args or None,
        "perturbations_per_eval": max(1, chunk_rows(batch_rows, 1) // p.examples),
    }


def featured(p: ExplainInputs, batch_rows: int) -> dict[str, Any]:
    return {"baselines": p.baselines, "feature_mask": p.feature_mask, **_common(p, batch_rows)}
