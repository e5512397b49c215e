"""The predictions of a result: the model's highest outputs for each example, with labels and scores."""

import torch
from torch import Tensor

from schemas.models import OutputKind
from schemas.results import Prediction
from workers.jobs.tuning import MAX_REGRESSION_VALUES, TOP_PREDICTIONS
from workers.methods.outcome import Outcome
from workers.models.predicted_values import are_probabilities, to_predictions
from workers.models.resident import ResidentModel


def predictions(model: ResidentModel, outcome: Outcome) -> list[list[Prediction]]:
    """The highest outputs of each example, highest first, as scores of the model's kind of output.

    Values of a regression come in the order of the outputs. Where an output is a map per class, the scores are those
    of the explained position.
    """
    outputs, positions = _at_explained_positions(outcome)
    kind = model.output_kind
    scores = to_predictions(outputs.reshape(len(outputs), -1), kind)
    if kind == "regression":
        count = min(MAX_REGRESSION_VALUES, scores.shape[1])
        indices = torch.arange(count, device=scores.device).expand(len(scores), -1)
    else:
        indices = scores.topk(min(TOP_PREDICTIONS, scores.shape[1]), dim=1).indices
    labels = model.card.output.labels if model.card.output else None
    return [
        [
            Prediction(index=index, label=labels[index] if labels else None, score=score, position=position)
            for index, score in zip(row_indices, row_scores, strict=True)
        ]
        for row_indices, row_scores, position in zip(
            indices.tolist(), scores.gather(1, indices).tolist(), positions, strict=True
        )
    ]


def explained_scores(kind: OutputKind, outcome: Outcome, found: list[list[Prediction]]) -> tuple[float, ...]:
    """The score of the explained class of each example; none where scores are no probabilities.

    Args:
        found: the predictions, which mostly hold it.
    """
    outputs = outcome.outputs
    if not are_probabilities(outputs.reshape(len(outputs), -1), kind):
        return ()
    if outcome.targets is None:
        return tuple(row[0].score for row in found)
    indices = [target if isinstance(target, int) else target[0] for target in outcome.targets]
    indices = indices if len(indices) == len(found) else indices * len(found)
    scores = [
        next((one.score for one in row if one.index == index), None) for row, index in zip(found, indices, strict=True)
    ]
    if None in scores:
        at_positions, _ = _at_explained_positions(outcome)
        every = to_predictions(at_positions.reshape(len(scores), -1), kind)
        return tuple(every[torch.arange(len(scores)), indices].tolist())
    return tuple(score for score in scores if score is not None)


def _at_explained_positions(outcome: Outcome) -> tuple[Tensor, list[list[int] | None]]:
    """Outputs (examples, classes) in double precision, and the position of each; None for outputs without positions."""
    outputs = outcome.outputs.double()
    if outputs.dim() <= 2 or outcome.targets is None:
        return outputs, [None] * len(outputs)
    positions = [target[1:] for target in outcome.targets if not isinstance(target, int)]
    each = positions if len(positions) == len(outputs) else positions * len(outputs)
    chosen = [output[(slice(None), *position)] for output, position in zip(outputs, each, strict=True)]
    return torch.stack(chosen), list(each)
