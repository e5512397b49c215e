"""Perturbation methods of the shared lane: Captum's own classes over the forward seam."""

from typing import Any

import torch
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
    return _of_own_features(KernelShap(seams.forward), m.n_samples, p, batch_rows)


def lime(m: spec.Lime, seams: Seams, p: ExplainInputs, batch_rows: int) -> Tensors:
    return _of_own_features(Lime(seams.forward), m.n_samples, p, batch_rows)


def _of_own_features(method: Lime, n_samples: int, p: ExplainInputs, batch_rows: int) -> Tensors:
    """Samples of each example's own features.

    Captum draws for every example of a batch as many features as any of them has. The features that an example lacks
    change which coalitions of the others are drawn, and with what weight. So where the numbers differ, each example is
    explained as it is alone, from the job's seed.
    """
    if not _numbers_differ(p):
        return detached(method.attribute(p.inputs, n_samples=n_samples, **featured(p, batch_rows)))
    start, found = torch.get_rng_state(), []
    for example in range(p.examples):
        torch.set_rng_state(start)
        one = p.only(example)
        found.append(detached(method.attribute(one.inputs, n_samples=n_samples, **featured(one, batch_rows))))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def _numbers_differ(p: ExplainInputs) -> bool:
    """Whether examples have different numbers of features, which are numbered from 0 in each of them."""
    if p.examples == 1 or p.feature_mask is None:
        return False
    highest = [mask.reshape(len(mask), -1).amax(dim=1) for mask in p.feature_mask if mask[0].numel()]
    each = torch.stack([one.expand(p.examples) for one in highest]).amax(dim=0)
    return bool((each != each[0]).any())


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
