"""The output to explain: an index or a label, one per example."""

from schemas.errors import InvalidRequest
from schemas.models import OutputCard
from schemas.requests import Target, TargetOne
from service.validation.suggest import suggestion
from service.validation.tensors import Location


def resolve_target(target: Target | None, output: OutputCard, examples: int) -> list[int] | None:
    """One output index per example, or None for the predicted class (a scalar output has no other).

    Raises:
        InvalidRequest: unknown label, index out of range, or not one per example.
    """
    if output.kind == "regression" and output.size == 1:
        if target is not None:
            raise InvalidRequest.at(["target"], "a regression model with one output takes no target")
        return None
    if target is None:
        if output.kind == "regression":
            raise InvalidRequest.at(["target"], f"the model has {output.size} outputs: give the index of one")
        return None
    if not isinstance(target, list):
        return [_index(target, output, ["target"])] * examples
    if len(target) != examples:
        raise InvalidRequest.at(["target"], f"{len(target)} targets for {examples} examples")
    return [_index(one, output, ["target", position]) for position, one in enumerate(target)]


def _index(target: TargetOne, output: OutputCard, loc: Location) -> int:
    if isinstance(target, str):
        return _label_index(target, output, loc)
    if target >= output.size:
        raise InvalidRequest.at(loc, f"the model's outputs are 0 to {output.size - 1}")
    return target


def _label_index(label: str, output: OutputCard, loc: Location) -> int:
    """The label as it is, else the only one that is equal but for case."""
    labels = output.labels
    if labels is None:
        raise InvalidRequest.at(loc, f"the model has no labels: give an index, 0 to {output.size - 1}")
    if label in labels:
        if labels.count(label) > 1:
            raise InvalidRequest.at(loc, "several outputs have this label: give an index")
        return labels.index(label)
    folded = [index for index, known in enumerate(labels) if known.casefold() == label.casefold()]
    if len(folded) == 1:
        return folded[0]
    raise InvalidRequest.at(loc, f"the model has no such label{suggestion(label, labels)}")
