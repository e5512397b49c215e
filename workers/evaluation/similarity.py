"""Similarity of two explanations of the same examples."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from schemas.methods import AnyMethod
from schemas.metrics import Similarity
from workers.evaluation.evaluation_inputs import EvaluationInputs
from workers.evaluation.feature_order import feature_scores
from workers.evaluation.tuning import SSIM_SMALLEST_WINDOW_PIXELS, SSIM_WINDOW_PIXELS
from workers.methods.explain_inputs import ExplainInputs, Tensors

Array = NDArray[np.float64]


def similarities(
    method: AnyMethod, subject: ExplainInputs, one: Tensors, other: Tensors, inputs: EvaluationInputs
) -> list[Similarity]:
    """The similarity of attributions `one` and `other`, per example.

    Ranks are those of the input's features, or of the elements of a layer.
    """
    first, second = (_values(method, subject, attributions, inputs) for attributions in (one, other))
    pairs = [(a[np.isfinite(a)], b[np.isfinite(a)]) for a, b in zip(first, second, strict=True)]
    maps = [_maps(attributions) if inputs.is_picture else None for attributions in (one, other)]
    return [
        Similarity(
            spearman=rank_correlation(a, b),
            spearman_abs=rank_correlation(np.abs(a), np.abs(b)),
            ssim=None if maps[0] is None or maps[1] is None else map_similarity(maps[0][index], maps[1][index]),
        )
        for index, (a, b) in enumerate(pairs)
    ]


def rank_correlation(a: Array, b: Array) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where either is constant or not finite."""
    if not all(np.isfinite(values).all() and np.ptp(values) > 0 for values in (a, b)):
        return None
    from scipy.stats import spearmanr  # noqa: PLC0415  # takes a third of a second, and few jobs need it

    return float(spearmanr(a, b).statistic)


def map_similarity(a: Array, b: Array) -> float | None:
    """Structural similarity of the absolute values of two maps (H, W), each divided by its largest.

    None for maps smaller than the smallest window, of zeros, or with values that are not finite.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004).
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415  # imports scipy

    side = min(SSIM_WINDOW_PIXELS, *a.shape)
    side -= 1 - side % 2  # the window must have an odd side
    sizes = [np.abs(values) for values in (a, b)]
    if side < SSIM_SMALLEST_WINDOW_PIXELS or not all(np.isfinite(size).all() and size.max() > 0 for size in sizes):
        return None
    scaled = [size / size.max() for size in sizes]
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]  # scikit-image has no types here
            *scaled, win_size=side, data_range=1.0
        )
    )


def _values(method: AnyMethod, subject: ExplainInputs, attributions: Tensors, inputs: EvaluationInputs) -> list[Array]:
    """Per example (features,), -inf for features that it does not have, or (elements,) of a layer."""
    scores = None
    if method.kind != "layer":
        scores = feature_scores(method, subject, attributions, inputs.features)
    if scores is None:
        return [
            np.concatenate([_numpy(part[index]).ravel() for part in attributions])
            for index in range(attributions[0].shape[0])
        ]
    return list(_numpy(scores))


def _maps(attributions: Tensors) -> list[Array] | None:
    """Per example (H, W), summed over channels; None where attributions are not maps (examples, C, H, W)."""
    first = attributions[0]
    return list(_numpy(first.sum(dim=1))) if len(attributions) == 1 and first.dim() == 4 else None


def _numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().double().cpu().numpy()
    return array
