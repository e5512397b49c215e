"""Features in the order of their attributions."""

from dataclasses import dataclass

import torch
from captum.attr import LayerAttribution
from torch import Tensor

from schemas.methods import AnyMethod
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.shares import shares

LAST = torch.iinfo(torch.int64).max  # the rank of what is no feature


@dataclass(frozen=True, slots=True)
class Order:
    """`ranks` hold for each element the place of its feature, 0 for the strongest: (examples, …) int64 as the inputs.
    `counts` (examples,) tell how many features there are."""

    ranks: Tensors
    counts: Tensor


def feature_scores(method: AnyMethod, subject: ExplainInputs, attributions: Tensors, units: Tensors) -> Tensor | None:
    """The attribution of each feature, the sum over its elements: (examples, features), -inf where a number is no
    feature of the example.

    The map of a layer is interpolated to the picture, or summed up per token; None where it covers neither.
    """
    if method.kind == "layer":
        laid = _over_input(attributions, subject, units)
        if laid is None:
            return None
        parts, units = laid
    else:
        parts = shares(method, subject, attributions)
    examples = subject.examples
    rows = torch.cat([u.expand(examples, *u.shape[1:]).reshape(examples, -1) for u in units], dim=1)
    values = torch.cat([part.reshape(examples, -1) for part in parts], dim=1)
    inside = rows >= 0
    features = int(rows.max()) + 1
    sums = values.new_zeros(examples, features).scatter_add_(1, rows.clamp_min(0), values * inside)
    there = torch.zeros(examples, features, dtype=torch.int64, device=rows.device)
    there.scatter_add_(1, rows.clamp_min(0), inside.long())
    return sums.masked_fill(there == 0, -torch.inf)


def order(scores: Tensor, units: Tensors) -> Order:
    """The features by falling score, (examples, features); equal scores keep the order of their numbers."""
    examples, features = scores.shape
    at = torch.arange(features, device=scores.device).expand(examples, -1)
    places = torch.empty_like(at).scatter_(1, scores.argsort(dim=1, descending=True, stable=True), at)
    ranks = []
    for part in units:
        rows = part.expand(examples, *part.shape[1:]).reshape(examples, -1)
        ranks.append(torch.where(rows < 0, LAST, places.gather(1, rows.clamp_min(0))).view(examples, *part.shape[1:]))
    return Order(tuple(ranks), torch.isfinite(scores).sum(dim=1))


def _over_input(attributions: Tensors, subject: ExplainInputs, units: Tensors) -> tuple[Tensors, Tensors] | None:
    """A layer's map over the input, and the units in its shape: one channel of a picture, one number per token."""
    if len(attributions) != 1 or len(units) != 1:
        return None
    values, shape = attributions[0], subject.inputs[0].shape
    if values.dim() == len(shape) == 4:
        over = LayerAttribution.interpolate(values, tuple(shape[2:]), "bilinear")
        return (over.sum(dim=1, keepdim=True),), (units[0][:, :1],)
    if len(shape) == 3 and values.dim() >= 2 and values.shape[:2] == shape[:2]:
        return (values.reshape(*shape[:2], -1).sum(dim=-1),), (units[0][..., 0],)
    return None
