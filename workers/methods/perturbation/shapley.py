"""Shapley values from orders in which features join the baseline, and from all coalitions.

Captum builds the rows of one order after the other and adds up maps of the input's size. Here all orders are drawn
first, in Captum's sequence, their rows share passes, and sums are taken per feature: the same numbers in the same
order, so that the result is Captum's to the bit where the outputs are.

Sources: Castro et al., "Polynomial calculation of the Shapley value based on sampling" (2009); Shapley, "A value for
n-person games" (1953).
"""

from itertools import permutations
from math import comb

import torch
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.perturbation.coalitions import Coalitions
from workers.methods.perturbation.features import Features
from workers.methods.tuning import MAX_ORDERED_FEATURES


def shapley_value_sampling(
    method: spec.ShapleyValueSampling, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    """The mean contribution of each feature over `n_samples` random orders."""
    coalitions = coalitions_of(seams, subject, batch_rows)
    orders = draw_orders(coalitions.features, method.n_samples)
    return coalitions.features.spread(_mean(contributions(coalitions, orders)), subject.inputs[0].device)


def shapley_values(method: spec.ShapleyValues, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """The mean contribution of each feature over all orders, from the outputs of all coalitions.

    Up to `MAX_ORDERED_FEATURES` features the orders are added up one by one, as Captum does, whose sums in float32
    depend on their sequence. The orders of more features are too many, and are weighted together, in float64.
    """
    coalitions = coalitions_of(seams, subject, batch_rows)
    features = coalitions.features
    if features.count <= MAX_ORDERED_FEATURES:
        values = _mean(contributions(coalitions, torch.tensor([*permutations(range(features.count))])))
    else:
        values = _weighted(coalitions)
    return features.spread(values, subject.inputs[0].device)


def coalitions_of(seams: Seams, subject: ExplainInputs, batch_rows: int) -> Coalitions:
    """The coalitions of the job's features."""
    return Coalitions(seams, subject, Features(subject.inputs, subject.feature_mask), batch_rows)


def draw_orders(features: Features, count: int) -> Tensor:
    """(count, features.count) int64, drawn one after the other from torch's global generator, as Captum draws them."""
    return torch.stack([torch.randperm(features.count) for _ in range(count)])


def contributions(coalitions: Coalitions, orders: Tensor) -> Tensor:
    """(orders, examples, features): by how much each feature changes the output where it joins those before it.

    Numbers that no element has contribute nothing, and their rows are not computed.

    Args:
        orders: (orders, features) int64.
    """
    features = coalitions.features
    orders = orders[features.used[orders]].reshape(len(orders), -1)
    count, length = orders.shape
    ranks = torch.full((count, features.count), length)  # when a feature joins; never those that are not used
    ranks.scatter_(1, orders, torch.arange(length).expand(count, -1))
    between = length - 1  # coalitions of an order that are neither empty nor full

    def members(part: Tensor) -> Tensor:
        return ranks[part // between] <= (part % between).unsqueeze(1)

    ends = [end.expand(count, 1, -1) for end in (coalitions.empty, coalitions.full)]
    if between:
        inner = coalitions.of_every_example(count * between, members).reshape(count, between, -1)
        ends.insert(1, inner)
    outputs = torch.cat(ends, dim=1)  # (orders, features used + 1, examples)
    added = (outputs[:, 1:] - outputs[:, :-1]).transpose(1, 2)
    found = added.new_zeros(count, coalitions.examples, features.count)
    return found.scatter_(2, orders.unsqueeze(1).expand_as(added), added)


def _mean(found: Tensor) -> Tensor:
    """(orders, examples, features) to (examples, features): added up one by one in float32, as in Captum."""
    total = torch.zeros(found.shape[1:])
    for one in found:
        total += one
    return total / len(found)


def _weighted(coalitions: Coalitions) -> Tensor:
    """(examples, features) float32: contributions to all coalitions, each with its share of all orders."""
    features = coalitions.features
    numbers = features.used.nonzero().squeeze(1)
    count = len(numbers)
    subsets = torch.arange(2**count)

    def members(part: Tensor) -> Tensor:
        chosen = torch.zeros(len(part), features.count, dtype=torch.bool)
        chosen[:, numbers] = _bits(part, count)
        return chosen

    ends = [end.unsqueeze(0) for end in (coalitions.empty, coalitions.full)]
    if count > 1:
        ends.insert(1, coalitions.of_every_example(2**count - 2, lambda part: members(part + 1)))
    outputs = torch.cat(ends).double()
    held = _bits(subsets, count)
    weights = torch.tensor([1 / (count * comb(count - 1, size)) for size in range(count)], dtype=torch.float64)
    values = torch.zeros(coalitions.examples, features.count, dtype=torch.float64)
    for place, number in enumerate(numbers.tolist()):
        without = subsets[~held[:, place]]
        shares = weights[held[without].sum(dim=1)]
        values[:, number] = shares @ (outputs[without + 2**place] - outputs[without])
    return values.float()


def _bits(numbers: Tensor, count: int) -> Tensor:
    """(n, count) bool: the binary digits of numbers, the lowest first."""
    return (numbers.unsqueeze(1) >> torch.arange(count)) % 2 == 1
