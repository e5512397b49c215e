"""Ranks features by their attributions."""

from dataclasses import dataclass

import torch
from captum.attr import LayerAttribution
from torch import Tensor

from schemas.methods import AnyMethod
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.shares import shares

NO_RANK = torch.iinfo(torch.int64).max  # of elements that belong to no feature; larger than every threshold


@dataclass(frozen=True, slots=True)
class FeatureRanks:
    """Features by falling attribution.

    Attributes:
        ranks: for each element the rank of its feature, 0 for the highest attribution: (examples, …) int64 in the shape
            of the inputs; `NO_RANK` for elements that belong to no feature.
        counts: number of features of each example, (examples,).
    """

    ranks: Tensors
    counts: Tensor


def feature_scores(
    method: AnyMethod, subject: ExplainInputs, attributions: Tensors, features: Tensors
) -> Tensor | None:
    """The attribution of each feature, summed over its elements: (examples, features).

    It is -inf where an example does not have a feature. A layer's map is interpolated to the picture, or summed per
    token; None where it covers neither.

    Args:
        features: the number of each element's feature; see `workers.evaluation.evaluation_inputs.EvaluationInputs`.
    """
    if method.kind == "layer":
        covering = _over_input(attributions, subject, features)
        if covering is None:
            return None
        parts, features = covering
    else:
        parts = shares(method, subject, attributions)
    examples = subject.examples
    numbers = torch.cat([_per_example(part, examples) for part in features], dim=1)  # (examples, elements)
    values = torch.cat([part.reshape(examples, -1) for part in parts], dim=1)
    belongs = numbers >= 0
    count = int(numbers.max()) + 1
    index = numbers.clamp_min(0)
    sums = values.new_zeros(examples, count).scatter_add_(1, index, values * belongs)
    sizes = torch.zeros(examples, count, dtype=torch.int64, device=numbers.device)
    sizes.scatter_add_(1, index, belongs.long())
    return sums.masked_fill(sizes == 0, -torch.inf)


def feature_ranks(scores: Tensor, features: Tensors) -> FeatureRanks:
    """Ranks features by falling score, (examples, features). Equal scores are ranked by the features' numbers."""
    examples, count = scores.shape
    places = torch.arange(count, device=scores.device).expand(examples, -1)
    by_feature = torch.empty_like(places).scatter_(1, scores.argsort(dim=1, descending=True, stable=True), places)
    ranks = []
    for part in features:
        numbers = _per_example(part, examples)
        rank = torch.where(numbers < 0, NO_RANK, by_feature.gather(1, numbers.clamp_min(0)))
        ranks.append(rank.view(examples, *part.shape[1:]))
    return FeatureRanks(tuple(ranks), torch.isfinite(scores).sum(dim=1))


def _per_example(part: Tensor, examples: int) -> Tensor:
    """(1 or examples, …) -> (examples, elements)."""
    return part.expand(examples, *part.shape[1:]).reshape(examples, -1)


def _over_input(attributions: Tensors, subject: ExplainInputs, features: Tensors) -> tuple[Tensors, Tensors] | None:
    """A layer's map over the input, and the features in its shape: one channel of a picture, one number per token."""
    if len(attributions) != 1 or len(features) != 1:
        return None
    values, shape = attributions[0], subject.inputs[0].shape
    if values.dim() == len(shape) == 4:  # (examples, channels, height, width)
        over = LayerAttribution.interpolate(values, tuple(shape[2:]), "bilinear")
        return (over.sum(dim=1, keepdim=True),), (features[0][:, :1],)
    if len(shape) == 3 and values.dim() >= 2 and values.shape[:2] == shape[:2]:  # (examples, tokens, …)
        return (values.reshape(*shape[:2], -1).sum(dim=-1),), (features[0][..., 0],)
    return None
