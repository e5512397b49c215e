"""Scores and ranks of features."""

import torch

from schemas import methods as spec
from tests.workers.evaluation.evaluated import GRID, toy_problem
from workers.evaluation.feature_order import feature_scores


def test_scores_of_features_are_sums_over_their_elements() -> None:
    """A stripe that a mask makes one feature; masked attributions, which repeat a feature's, are not added up twice."""
    subject = toy_problem("conv", 2, seed=3, masked=True)
    ones = (torch.ones(2, 3, 12, 12, dtype=torch.float64),)
    assert feature_scores(spec.InputXGradient(), subject, ones, (GRID,)).tolist() == [[72.0] * 6] * 2  # type: ignore[union-attr]
    ablated = feature_scores(spec.FeatureAblation(), subject, ones, (GRID,))
    assert ablated is not None
    assert torch.allclose(ablated, torch.ones(2, 6, dtype=torch.float64))
