"""DeepLIFT over a distribution of baselines: pairs of every example with every baseline, and the mean over them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from workers.methods.explain_inputs import ExplainInputs, Tensors


def mean_over_pairs(subject: ExplainInputs, most: int, attribute: Callable[[ExplainInputs], Tensors]) -> Tensors:
    """The mean of attributions over the baseline distribution, (examples, …) each.

    DeepLiftShap pools nothing but this mean. So pairs need no call of their own, and run beside those of other jobs.

    Args:
        subject: with a baseline distribution.
        most: pairs at once.
        attribute: (pairs, …) attributions of inputs with one baseline each.
    """
    if subject.baseline_distribution is None:
        raise ValueError("a distribution of baselines is needed")
    count = subject.baseline_distribution[0].shape[0]
    totals: list[Tensor] = []
    for examples, pairs in _pairs(subject, subject.baseline_distribution, most):
        found = attribute(pairs)
        totals = totals or [one.new_zeros((subject.examples, *one.shape[1:])) for one in found]
        for total, one in zip(totals, found, strict=True):
            total.index_add_(0, examples, one)
    return tuple(total / count for total in totals)


def _pairs(subject: ExplainInputs, distribution: Tensors, most: int) -> Iterator[tuple[Tensor, ExplainInputs]]:
    """The places of the examples, (pairs,), and the pairs, at most so many at once."""
    count = distribution[0].shape[0]
    for part in torch.split(torch.arange(subject.examples * count, device=subject.inputs[0].device), most):
        examples, drawn = part // count, part % count

        def at(places: Tensor, tensors: Tensors) -> Tensors:
            return tuple(tensor[places] for tensor in tensors)

        targets = subject.targets
        if targets is not None and len(targets) > 1:
            targets = [targets[example] for example in examples.tolist()]
        yield (
            examples,
            replace(
                subject,
                inputs=at(examples, subject.inputs),
                additional_forward_args=at(examples, subject.additional_forward_args),
                targets=targets,
                baselines=at(drawn, distribution),
                baseline_distribution=None,
            ),
        )
