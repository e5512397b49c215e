"""Feature ablation: the output of the input, less the outputs without one feature each."""

import torch
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.perturbation.shapley import coalitions_of


def feature_ablation(method: spec.FeatureAblation, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """By how much the output falls where a feature is taken away, in the type of the outputs."""
    coalitions = coalitions_of(seams, subject, batch_rows)
    features = coalitions.features
    numbers = features.used.nonzero()  # (features used, 1)

    def without(part: Tensor) -> Tensor:
        return torch.ones(len(part), features.count, dtype=torch.bool).scatter_(1, numbers[part], False)

    lost = coalitions.full - coalitions.of_every_example(len(numbers), without)  # (features used, examples)
    values = lost.new_zeros(coalitions.examples, features.count)
    values[:, numbers.squeeze(1)] = lost.T
    return features.spread(values, subject.inputs[0].device)
