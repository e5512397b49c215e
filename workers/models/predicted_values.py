"""A model's outputs as predictions and curves show them."""

from torch import Tensor

from schemas.models import OutputKind


def to_predictions(outputs: Tensor, kind: OutputKind) -> Tensor:
    """Converts outputs, (rows, …) with classes in dimension 1, to values of the same shape that people read.

    Logits of classes become softmax probabilities, logits of independent labels become sigmoids. Probabilities,
    regression values and a single logit stay as they are.
    """
    if kind == "multilabel":
        return outputs.sigmoid()
    if kind == "classification" and are_probabilities(outputs, kind):
        return outputs.softmax(dim=1)
    return outputs


def are_probabilities(outputs: Tensor, kind: OutputKind) -> bool:
    """Whether `to_predictions` returns probabilities. The softmax of a single logit would be 1 for every input."""
    several = outputs.dim() > 1 and outputs.shape[1] > 1
    return kind in ("multilabel", "probabilities") or (kind == "classification" and several)
