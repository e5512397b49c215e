"""Resolves the target of a request, an index or a label, to one output per example."""

from collections.abc import Sequence
from typing import Any

from schemas.errors import InvalidRequest
from schemas.jobs import PREDICTED, Targets
from schemas.models import OutputCard
from schemas.requests import Target, TargetOne
from schemas.sentences import Sentence
from service.validation.document.suggest import with_suggestion
from service.validation.tensors import Location


def resolve_target(target: Target | None, output: OutputCard, examples: int) -> Targets | None:
    """One output per example; None for the predicted class, or for the only output of a regression.

    Raises:
        InvalidRequest: a label is unknown, an index is out of range, the number of targets is not the number of
            examples, or a target does not have one index per dimension of the output.
    """
    if output.kind == "regression" and output.size == 1 and len(output.shape) < 2:
        if target is not None:
            raise InvalidRequest.at(["target"], "a regression model with one output takes no target")
        return None
    if len(output.shape) > 1:
        return _places(target, output, examples)
    if target is None:
        if output.kind == "regression":
            raise InvalidRequest.at(
                ["target"], Sentence("the model has {count} outputs: give the index of one", count=output.size)
            )
        return None
    if not isinstance(target, list):
        return [_index(target, output, ["target"])] * examples
    _check_count(target, examples)
    return [_index(_flat_target(one, position), output, ["target", position]) for position, one in enumerate(target)]


def _places(target: Target | None, output: OutputCard, examples: int) -> list[list[int]]:
    """Targets in an output of several dimensions, such as `[class, y, x]`, one for all examples or one per example."""
    if not isinstance(target, list):
        raise InvalidRequest.at(
            ["target"],
            Sentence(
                "the model's output is of shape {shape}: give a list of {count} indices, the first null for "
                "the class predicted at that position",
                shape=output.shape,
                count=len(output.shape),
            ),
        )
    if not any(isinstance(one, list) for one in target):
        return [_place(target, output, ["target"])] * examples
    _check_count(target, examples)
    return [_place(one, output, ["target", position]) for position, one in enumerate(target)]


def _place(given: Any, output: OutputCard, loc: Location) -> list[int]:
    if not isinstance(given, list) or len(given) != len(output.shape):
        raise InvalidRequest.at(
            loc,
            Sentence(
                "the model's output is of shape {shape}: give {count} indices",
                shape=output.shape,
                count=len(output.shape),
            ),
        )
    place = [_class(given[0], output, [*loc, 0])]
    for dimension, (index, size) in enumerate(zip(given[1:], output.shape[1:], strict=True), start=1):
        if not isinstance(index, int) or index >= size:
            raise InvalidRequest.at(
                [*loc, dimension], Sentence("this dimension of the output has indices 0 to {last}", last=size - 1)
            )
        place.append(index)
    return place


def _class(given: Any, output: OutputCard, loc: Location) -> int:
    """The index of a class; null stands for the class predicted at the position."""
    if given is not None:
        return _index(given, output, loc)
    if output.kind == "regression":
        raise InvalidRequest.at(loc, "a regression predicts no class: give an index")
    return PREDICTED


def _flat_target(target: TargetOne | list[TargetOne | None] | None, position: int) -> TargetOne:
    if target is None or isinstance(target, list):
        raise InvalidRequest.at(["target", position], "the model's output has one dimension: give an index or a label")
    return target


def _check_count(target: Sequence[object], examples: int) -> None:
    if len(target) != examples:
        raise InvalidRequest.at(
            ["target"],
            Sentence(
                "{targets} targets for {examples} examples; give one per example",
                targets=len(target),
                examples=examples,
            ),
        )


def _index(target: TargetOne, output: OutputCard, loc: Location) -> int:
    if isinstance(target, str):
        return _label_index(target, output, loc)
    if target >= output.size:
        raise InvalidRequest.at(loc, Sentence("the model's outputs are 0 to {last}", last=output.size - 1))
    return target


def _label_index(label: str, output: OutputCard, loc: Location) -> int:
    """The index of the label; a label in another case counts if it is the only such one."""
    labels = output.labels
    if labels is None:
        raise InvalidRequest.at(
            loc, Sentence("the model has no labels: give an index, 0 to {last}", last=output.size - 1)
        )
    if label in labels:
        if labels.count(label) > 1:
            raise InvalidRequest.at(loc, "several outputs have this label: give an index")
        return labels.index(label)
    folded = [index for index, known in enumerate(labels) if known.casefold() == label.casefold()]
    if len(folded) == 1:
        return folded[0]
    raise InvalidRequest.at(loc, with_suggestion("the model has no such label", label, labels))
