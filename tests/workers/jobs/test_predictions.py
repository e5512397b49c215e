"""The predictions of a result: which outputs, in what order, with what scores."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from schemas.jobs import Targets
from schemas.models import OutputKind
from workers.jobs.predictions import explained_scores, predictions
from workers.jobs.tuning import MAX_REGRESSION_VALUES, TOP_PREDICTIONS
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel

OUTPUTS = torch.tensor([[0.0, 2.0, 1.0], [3.0, -1.0, 0.5]])


def of_kind(model: ResidentModel, kind: OutputKind, labels: list[str] | None = None) -> ResidentModel:
    assert model.card.output is not None
    output = model.card.output.model_copy(update={"kind": kind, "labels": labels})
    return replace(model, card=model.card.model_copy(update={"output": output}))


def outcome(outputs: Tensor, targets: Targets | None = None) -> Outcome:
    return Outcome((), outputs, targets, None, None)


def test_classes_come_by_their_probability(model: ResidentModel) -> None:
    rows = predictions(model, outcome(OUTPUTS))
    assert [[one.label for one in row] for row in rows] == [["bee", "cat", "ant"], ["ant", "cat", "bee"]]
    for row, outputs in zip(rows, OUTPUTS.double(), strict=True):
        expected = outputs.softmax(0).sort(descending=True)
        assert [one.score for one in row] == pytest.approx(expected.values.tolist())
        assert [one.index for one in row] == expected.indices.tolist()
        assert all(one.position is None for one in row)


def test_the_highest_of_many_classes(model: ResidentModel) -> None:
    (row,) = predictions(of_kind(model, "classification"), outcome(torch.arange(40.0).view(1, 40)))
    assert [one.index for one in row] == list(range(39, 39 - TOP_PREDICTIONS, -1))
    assert all(one.label is None for one in row)


def test_values_of_a_regression_keep_their_order(model: ResidentModel) -> None:
    outputs = torch.arange(40.0, 0.0, -1.0).view(1, 40)
    (row,) = predictions(of_kind(model, "regression"), outcome(outputs))
    assert [one.index for one in row] == list(range(MAX_REGRESSION_VALUES))
    assert [one.score for one in row] == outputs[0, :MAX_REGRESSION_VALUES].tolist()
    (scalar,) = predictions(of_kind(model, "regression"), outcome(torch.tensor([1.5])))
    assert [(one.index, one.score) for one in scalar] == [(0, 1.5)]


@pytest.mark.parametrize("targets", [[[1, 2]], [[1, 2], [0, 2]]], ids=["one for all", "one each"])
def test_scores_of_a_map_are_those_of_the_explained_position(model: ResidentModel, targets: Targets) -> None:
    outputs = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(1))
    at_position = predictions(model, outcome(outputs, targets))
    plain = predictions(model, outcome(outputs[:, :, 2]))
    assert [[(one.index, one.score) for one in row] for row in at_position] == [
        [(one.index, one.score) for one in row] for row in plain
    ]
    assert all(one.position == [2] for row in at_position for one in row)


def test_scores_of_explained_classes_also_beyond_the_highest(model: ResidentModel) -> None:
    outputs = torch.arange(40.0).view(1, 40).repeat(2, 1) / 10
    wide = outcome(outputs, [39, 2])
    found = predictions(of_kind(model, "classification"), wide)
    expected = outputs.double().softmax(1)
    scores = explained_scores("classification", wide, found)
    assert scores == pytest.approx((expected[0, 39].item(), expected[1, 2].item()))
    assert explained_scores("classification", outcome(outputs, [39]), found) == pytest.approx(
        [expected[0, 39].item()] * 2
    )
    assert explained_scores("regression", wide, found) == ()


def test_the_score_of_a_class_at_a_position_of_its_map(model: ResidentModel) -> None:
    outputs = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    placed = outcome(outputs, [[1, 0, 1]])
    found = predictions(of_kind(model, "classification"), placed)
    expected = outputs.double().softmax(1)[0, 1, 0, 1].item()
    assert explained_scores("classification", placed, found) == pytest.approx((expected,))
