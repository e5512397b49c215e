"""What several dialects say of one example of a result in the same way. Pure."""

from typing import Any

from schemas.results import TextScore
from service.dialects.instances import Instance
from service.dialects.numbers import Numbers
from service.dialects.running import Explained


def delta_of(one: Explained) -> float | None:
    """The convergence delta of the example; None where the method promises no completeness."""
    delta = one.meta.convergence_delta
    if delta is not None and one.example < len(delta):
        return delta[one.example]
    found = one.meta.quality.completeness if one.meta.quality else None
    return found[one.example].error if found and one.example < len(found) else None


def target_of(one: Explained) -> int | list[int] | None:
    """The explained output of the example: an index, or a class and its position; None for a model's only output."""
    if not one.meta.target:
        return None
    target = one.meta.target[one.example]
    return target.index if target.position is None else [target.index, *target.position]


def predictions_of(one: Explained) -> list[dict[str, Any]]:
    """The highest outputs of the example, as in a result of ours."""
    return [prediction.model_dump() for prediction in one.meta.predictions[one.example]]


def words_of(one: Explained) -> dict[str, Any] | None:
    """A text's words as TorchServe gives them; None for other inputs."""
    if one.meta.words is None:
        return None
    words: list[TextScore] = one.meta.words[one.example]
    return {
        "words": [word.text for word in words],
        "importances": [word.score for word in words],
        "delta": delta_of(one),
    }


def attributions_of(one: Explained, instance: Instance | None, numbers: Numbers) -> Any:
    """The example's attributions in the form that a client expects who sent this instance: words with importances, a
    number for each column, or nested numbers. Several tensors are an object by name."""
    words = words_of(one)
    if words is not None:
        return words
    if one.meta.features is not None:
        columns = one.meta.features[one.example]
        if instance is not None and instance.named:
            return {column.name: column.score for column in columns}
        return [column.score for column in columns]
    tensors = [spec.name for spec in one.meta.attributions]
    if len(tensors) == 1:
        return numbers.of_example(one, tensors[0])
    return {name: numbers.of_example(one, name) for name in tensors}
