"""How alike two explanations of the same examples are."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity
from torch import Tensor

from schemas.methods import AnyMethod
from schemas.metrics import Similarity
from workers.evaluation.audit import Audit
from workers.evaluation.ordering import feature_scores
from workers.methods.explain_inputs import ExplainInputs, Tensors

WINDOW = 7  # pixels, of the structural similarity; scikit-image's own
Array = NDArray[np.float64]


def similarities(
    method: AnyMethod, subject: ExplainInputs, ours: Tensors, others: Tensors, audit: Audit
) -> list[Similarity]:
    """Per example: ranks are those of features over the input, or of the elements of a layer."""
    mine, theirs = (_values(method, subject, attributions, audit) for attributions in (ours, others))
    pairs = [(a[np.isfinite(a)], b[np.isfinite(a)]) for a, b in zip(mine, theirs, strict=True)]
    maps = [_maps(attributions) if audit.picture else None for attributions in (ours, others)]
    return [
        Similarity(
            spearman=rank_correlation(a, b),
            spearman_abs=rank_correlation(np.abs(a), np.abs(b)),
            ssim=None if maps[0] is None or maps[1] is None else map_similarity(maps[0][index], maps[1][index]),
        )
        for index, (a, b) in enumerate(pairs)
    ]


def rank_correlation(a: Array, b: Array) -> float | None:
    """Spearman's, ties at their mean rank; None where either is constant or not finite."""
    if not all(np.isfinite(values).all() and np.ptp(values) > 0 for values in (a, b)):
        return None
    return float(spearmanr(a, b).statistic)


def map_similarity(a: Array, b: Array) -> float | None:
    """Structural similarity of two maps (H, W), each by size and scaled to its largest; None for tiny or empty ones.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004).
    """
    side = min(WINDOW, *a.shape)
    side -= 1 - side % 2  # odd
    sizes = [np.abs(values) for values in (a, b)]
    if side < 3 or not all(np.isfinite(size).all() and size.max() > 0 for size in sizes):  # pixels
        return None
    scaled = [size / size.max() for size in sizes]
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]  # scikit-image has no types here
            *scaled, win_size=side, data_range=1.0
        )
    )


def _values(method: AnyMethod, subject: ExplainInputs, attributions: Tensors, audit: Audit) -> list[Array]:
    """(features,) of each example, -inf for numbers that are no feature."""
    scores = None
    if method.kind != "layer":
        scores = feature_scores(method, subject, attributions, audit.units)
    if scores is None:
        return [
            np.concatenate([_numpy(part[index]).ravel() for part in attributions])
            for index in range(attributions[0].shape[0])
        ]
    return list(_numpy(scores))


def _maps(attributions: Tensors) -> list[Array] | None:
    """(H, W) of each example, summed over channels; None where attributions are no maps."""
    first = attributions[0]
    return list(_numpy(first.sum(dim=1))) if len(attributions) == 1 and first.dim() == 4 else None  # C, H, W


def _numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().double().cpu().numpy()
    return array
