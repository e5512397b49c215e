"""The part of an attribution that belongs to each element."""

from math import prod

import torch

from schemas.methods import AnyMethod, Occlusion
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.perturbation.occlusion import windows_over


def shares(method: AnyMethod, subject: ExplainInputs, attributions: Tensors) -> Tensors:
    """Attributions whose sum over any elements is what these contribute together, of the same shapes.

    Perturbation methods give each element of a feature the attribution of the whole feature; here the elements share it
    out evenly. The attributions of other methods are each element's own already.
    """
    if method.perturbs != "input":
        return attributions
    if isinstance(method, Occlusion):
        windows = windows_over(method.sliding_window_shapes or [], tuple(tuple(a.shape[1:]) for a in attributions))
        return tuple(a / prod(window) for a, window in zip(attributions, windows, strict=True))
    if subject.feature_mask is None:
        return attributions
    sizes = _sizes(subject.feature_mask)
    return tuple(a / size.to(a) for a, size in zip(attributions, sizes, strict=True))


def _sizes(mask: Tensors) -> Tensors:
    """For each element how many its feature has, in all inputs together: (rows, …), one row if all masks have one."""
    rows = max(part.shape[0] for part in mask)
    parts = [part.expand(rows, *part.shape[1:]).reshape(rows, -1) for part in mask]
    numbers = torch.cat(parts, dim=1)
    counts = numbers.new_zeros(rows, int(numbers.max()) + 1).scatter_add_(1, numbers, torch.ones_like(numbers))
    return tuple(counts.gather(1, part).view(rows, *like.shape[1:]) for part, like in zip(parts, mask, strict=True))
