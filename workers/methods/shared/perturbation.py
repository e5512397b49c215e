"""Perturbation methods of the shared lane: Captum's own classes over the forward seam."""

from typing import Any

import captum.attr as captum
import torch

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.calls import SharedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target, chunk_rows, detached


def occlusion(method: spec.Occlusion, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """Covers whole the dimensions that a window does not name, such as a text's embedding."""
    windows = windows_over(method.sliding_window_shapes or [], tuple(tuple(t.shape[1:]) for t in subject.inputs))
    return detached(
        captum.Occlusion(seams.forward).attribute(
            subject.inputs,
            sliding_window_shapes=windows,
            strides=None if method.strides is None else windows_over(method.strides, windows),
            baselines=subject.baselines,
            **_common(subject, batch_rows),
        )
    )


def feature_ablation(method: spec.FeatureAblation, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    ablation = captum.FeatureAblation(seams.forward)
    return detached(ablation.attribute(subject.inputs, **featured(subject, batch_rows)))


def feature_permutation(
    method: spec.FeaturePermutation, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    permutation = captum.FeaturePermutation(seams.forward)
    mask = subject.feature_mask
    return detached(permutation.attribute(subject.inputs, feature_mask=mask, **_common(subject, batch_rows)))


def shapley_value_sampling(
    method: spec.ShapleyValueSampling, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    sampling = captum.ShapleyValueSampling(seams.forward)
    return detached(sampling.attribute(subject.inputs, n_samples=method.n_samples, **featured(subject, batch_rows)))


def shapley_values(method: spec.ShapleyValues, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    values = captum.ShapleyValues(seams.forward)
    return detached(values.attribute(subject.inputs, **featured(subject, batch_rows)))


def kernel_shap(method: spec.KernelShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    return _of_own_features(captum.KernelShap(seams.forward), method.n_samples, subject, batch_rows)


def lime(method: spec.Lime, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    return _of_own_features(captum.Lime(seams.forward), method.n_samples, subject, batch_rows)


def _of_own_features(lime: captum.Lime, n_samples: int, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """Samples of each example's own features.

    Captum draws for every example of a batch as many features as any of them has. The features that an example lacks
    change which coalitions of the others are drawn, and with what weight. So where the numbers differ, each example is
    explained by itself, from the job's seed.
    """
    if not _numbers_differ(subject):
        return detached(lime.attribute(subject.inputs, n_samples=n_samples, **featured(subject, batch_rows)))
    start, found = torch.get_rng_state(), []
    for example in range(subject.examples):
        torch.set_rng_state(start)
        one = subject.only(example)
        found.append(detached(lime.attribute(one.inputs, n_samples=n_samples, **featured(one, batch_rows))))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def _numbers_differ(subject: ExplainInputs) -> bool:
    """Whether examples have different numbers of features, which are numbered from 0 in each of them."""
    if subject.examples == 1 or subject.feature_mask is None:
        return False
    highest = [mask.reshape(len(mask), -1).amax(dim=1) for mask in subject.feature_mask if mask[0].numel()]
    each = torch.stack([one.expand(subject.examples) for one in highest]).amax(dim=0)
    return bool((each != each[0]).any())


def windows_over(given: list[Any], whole: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """One window per input, from one for all or a list of them, completed by `whole`."""
    each = given if given and isinstance(given[0], list) else [given] * len(whole)
    return tuple((*window, *full[len(window) :]) for window, full in zip(each, whole, strict=True))


def _common(subject: ExplainInputs, batch_rows: int) -> dict[str, Any]:
    return {
        "target": captum_target(subject.targets),
        "additional_forward_args": subject.additional_forward_args or None,
        "perturbations_per_eval": max(1, chunk_rows(batch_rows, 1) // subject.examples),
    }


def featured(subject: ExplainInputs, batch_rows: int) -> dict[str, Any]:
    """Arguments of the methods that replace features by a baseline."""
    return {"baselines": subject.baselines, "feature_mask": subject.feature_mask, **_common(subject, batch_rows)}


CALLS: SharedCalls = {
    spec.Occlusion: occlusion,
    spec.FeatureAblation: feature_ablation,
    spec.FeaturePermutation: feature_permutation,
    spec.ShapleyValueSampling: shapley_value_sampling,
    spec.ShapleyValues: shapley_values,
    spec.KernelShap: kernel_shap,
    spec.Lime: lime,
}
