"""The predictions of a result: the model's highest outputs for each example, with labels and scores."""

import torch
from torch import Tensor

from schemas.results import Prediction
from workers.jobs.tuning import MAX_REGRESSION_VALUES, TOP_PREDICTIONS
from workers.methods.outcome import Outcome
from workers.models.predicted_values import to_predictions
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


def _at_explained_positions(outcome: Outcome) -> tuple[Tensor, list[list[int] | None]]:
    """Outputs (examples, classes) in double precision, and the position of each; None for outputs without positions."""
    outputs = outcome.outputs.double()
    if outputs.dim() <= 2 or outcome.targets is None:
        return outputs, [None] * len(outputs)
    positions = [target[1:] for target in outcome.targets if not isinstance(target, int)]
    each = positions if len(positions) == len(outputs) else positions * len(outputs)
    chosen = [output[(slice(None), *position)] for output, position in zip(outputs, each, strict=True)]
    return torch.stack(chosen), list(each)
