"""Outputs as people read them."""

import pytest
import torch

from schemas.models import OutputKind
from workers.models.predicted_values import are_probabilities, to_predictions

LOGITS = torch.tensor([[0.0, 2.0, -1.0], [1.0, 1.0, 1.0]])


def test_logits_of_classes_become_probabilities() -> None:
    values = to_predictions(LOGITS, "classification")
    torch.testing.assert_close(values, LOGITS.exp() / LOGITS.exp().sum(dim=1, keepdim=True))


def test_classes_of_a_map_are_in_dimension_1() -> None:
    maps = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(to_predictions(maps, "classification").sum(dim=1), torch.ones(2, 4, 5))


def test_labels_are_independent() -> None:
    torch.testing.assert_close(to_predictions(LOGITS, "multilabel"), 1 / (1 + (-LOGITS).exp()))


@pytest.mark.parametrize("kind", ["probabilities", "regression"])
def test_other_values_stay(kind: OutputKind) -> None:
    assert to_predictions(LOGITS, kind) is LOGITS


@pytest.mark.parametrize("outputs", [torch.tensor([[3.0], [4.0]]), torch.tensor([3.0, 4.0])])
def test_a_single_logit_stays(outputs: torch.Tensor) -> None:
    assert to_predictions(outputs, "classification") is outputs
    assert not are_probabilities(outputs, "classification")


def test_kinds_with_probabilities() -> None:
    kinds: list[OutputKind] = ["classification", "multilabel", "probabilities", "regression"]
    assert [are_probabilities(LOGITS, kind) for kind in kinds] == [True, True, True, False]
