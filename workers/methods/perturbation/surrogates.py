"""KernelSHAP and LIME: a linear model of the output, fitted to random coalitions.

The coalitions are drawn in Captum's sequence, from the same generator. Captum's own linear models are fitted to them.
Captum makes and weighs one row after the other, and a map of the input's size for each coefficient.

Sources: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions" (2017); Ribeiro et al., "Why Should I
Trust You?" (2016).
"""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import captum.attr as captum
import torch
from captum.attr._core.lime import construct_feature_mask
from torch import Tensor
from torch.distributions import Categorical

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.perturbation.coalitions import Coalitions
from workers.methods.perturbation.features import Features

COSINE_EPSILON = 1e-8  # of torch's cosine similarity
Draw = Callable[[int, int], Tensor]  # (samples, features) -> (samples, features) bool


class WeighedCoalitions(Coalitions):
    """Coalitions whose rows are also weighed by their likeness to the input, as LIME weighs them."""

    def measure(self, rows: Tensors, examples: Tensor) -> Tensors:
        """Outputs, and exp(-distance² / 2) of the cosine distance between row and input, in float32."""
        return (*super().measure(rows, examples), self._likeness(rows, examples))

    def _likeness(self, rows: Tensors, examples: Tensor) -> Tensor:
        """(rows,) The steps of torch's cosine similarity in their order, with the input's part done once.

        Row by row, in one buffer: over a second dimension, large rows take several times as long.
        """
        flat = _flat(rows)
        products = torch.empty_like(flat[0])
        cosines = []
        for row, example in zip(flat, examples.tolist(), strict=True):
            torch.div(row, _length(row), out=products)
            cosines.append(products.mul_(self._directions[example]).sum())
        distances = 1 - torch.stack(cosines)
        return torch.tensor([math.exp(exponent) for exponent in (-1 * distances**2 / 2).cpu().tolist()])

    @cached_property
    def _directions(self) -> Tensor:
        """(examples, elements) of length 1."""
        return torch.stack([row / _length(row) for row in _flat(self._inputs)])


def kernel_shap(method: spec.KernelShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """The fit whose weights make its coefficients estimates of the Shapley values."""

    def explained(one: ExplainInputs) -> Tensors:
        coalitions = Coalitions(seams, one, features_of(one), batch_rows)
        coalitions.keep_ends()
        return _explained(coalitions, one, method.n_samples, draw_for_shapley, captum.KernelShap(seams.forward))

    return of_own_features(explained, subject)


def lime(method: spec.Lime, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """The sparse fit in the neighbourhood of the input."""

    def explained(one: ExplainInputs) -> Tensors:
        coalitions = WeighedCoalitions(seams, one, features_of(one), batch_rows)
        return _explained(coalitions, one, method.n_samples, draw_evenly, captum.Lime(seams.forward))

    return of_own_features(explained, subject)


def features_of(subject: ExplainInputs) -> Features:
    """The features, numbered from 0 as Captum's linear models number them."""
    numbers, _ = construct_feature_mask(subject.feature_mask, subject.inputs)
    return Features(subject.inputs, numbers)


def draw_evenly(samples: int, features: int) -> Tensor:
    """Each feature is a member or not, at even odds."""
    odds = torch.full((1, features), 0.5)
    return torch.cat([torch.bernoulli(odds) for _ in range(samples)]).bool()


def draw_for_shapley(samples: int, features: int) -> Tensor:
    """All features, none, then sizes by KernelSHAP's distribution and as many members as that."""
    if samples <= 2:
        return torch.tensor([[True], [False]]).expand(2, features)[:samples]
    sizes, scores = draw_sizes_and_scores(samples - 2, features)
    return torch.cat([torch.ones(1, features), torch.zeros(1, features), members_by_score(sizes, scores)]).bool()


def draw_sizes_and_scores(samples: int, features: int) -> tuple[Tensor, Tensor]:
    """(samples,) int64 sizes of coalitions, and (samples, features) of which the highest scores are the members.

    A size and its scores are drawn in turns, as Captum draws them.
    """
    sizes = torch.arange(features, dtype=torch.float)
    odds = torch.tensor(features - 1) / (sizes * (features - sizes))
    odds[0] = 0.0
    probabilities = Categorical(odds).probs.reshape(1, -1)
    drawn = [(torch.multinomial(probabilities, 1, True), torch.randn(1, features)) for _ in range(samples)]
    return torch.cat([size.flatten() for size, _ in drawn]), torch.cat([scores for _, scores in drawn])


def members_by_score(sizes: Tensor, scores: Tensor) -> Tensor:
    """(samples, features) bool: as many members as the size says, those of the highest scores."""
    threshold = scores.sort(dim=1).values.gather(1, (scores.shape[1] - sizes - 1).unsqueeze(1))
    return scores > threshold


def shapley_weights(members: Tensor) -> Tensor:
    """(samples,) float32: both ends are nearly constraints, all other coalitions weigh alike, as in Captum."""
    sizes = members.sum(dim=1)
    at_end = (sizes == 0) | (sizes == members.shape[1])
    return torch.where(at_end, captum.KernelShap(lambda x: x).inf_weight, 1.0)


def coefficients(linear: Any, members: Tensor, outputs: Tensor, weights: Tensor) -> Tensor:
    """(features,) float32 of the linear model fitted to (samples, features) members and (samples,) outputs."""
    linear.fit([(members.float(), outputs.float(), weights.float())])
    fitted: Tensor = linear.representation()
    return fitted.flatten()


def _explained(coalitions: Coalitions, subject: ExplainInputs, samples: int, draw: Draw, surrogate: Any) -> Tensors:
    """Attributions (examples, …), one fit for each example, from rows that share passes."""
    features, examples = coalitions.features, coalitions.examples
    drawn = []
    for _ in range(examples):
        drawn.append(draw(samples, features.count))
        _draw_as_a_fit(surrogate.interpretable_model, features.count)
    members = torch.cat(drawn)
    measured = coalitions.of(members, torch.arange(examples).repeat_interleave(samples))
    outputs, weights = measured if len(measured) > 1 else (measured[0], shapley_weights(members))
    each = zip(*(torch.split(part, samples) for part in (members, outputs, weights)), strict=True)
    found = torch.stack([coefficients(surrogate.interpretable_model, *parts) for parts in each])
    return features.spread(found, subject.inputs[0].device)


def _draw_as_a_fit(linear: Any, features: int) -> None:
    """Draws what a fit draws, which stands between the coalitions of two examples: a seed for the loader of its data,
    and weights of a module, which the fitted ones replace."""
    torch.empty((), dtype=torch.int64).random_()
    linear._construct_model_params(weight_values=torch.zeros(1, features), bias_value=torch.zeros(1))


def of_own_features(explained: Callable[[ExplainInputs], Tensors], subject: ExplainInputs) -> Tensors:
    """Samples of each example's own features.

    Captum draws for every example of a batch as many features as any of them has. The features that an example lacks
    change which coalitions of the others are drawn, and with what weight. So where the numbers differ, each example is
    explained by itself, from the job's seed.
    """
    if not _numbers_differ(subject):
        return explained(subject)
    start, found = torch.get_rng_state(), []
    for example in range(subject.examples):
        torch.set_rng_state(start)
        found.append(explained(subject.only(example)))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def _numbers_differ(subject: ExplainInputs) -> bool:
    """Whether examples have different numbers of features, which are numbered from 0 in each of them."""
    if subject.examples == 1 or subject.feature_mask is None:
        return False
    highest = [mask.reshape(len(mask), -1).amax(dim=1) for mask in subject.feature_mask if mask[0].numel()]
    each = torch.stack([one.expand(subject.examples) for one in highest]).amax(dim=0)
    return bool((each != each[0]).any())


def _length(row: Tensor) -> Tensor:
    """Euclidean, and never 0."""
    length: Tensor = torch.linalg.vector_norm(row)
    return length.clamp_min(COSINE_EPSILON)


def _flat(tensors: Tensors) -> Tensor:
    """(rows, elements) float32 of all inputs together."""
    flat = [tensor.reshape(len(tensor), -1) for tensor in tensors]
    return (flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)).float()
