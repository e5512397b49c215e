"""The examples that a dialect's request lists, as inputs of ours, and which of them one job can hold. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import InvalidRequest
from schemas.limits import MAX_EXAMPLES, MAX_INPUT_TENSORS, MAX_TENSOR_RANK
from schemas.models import InputCard
from schemas.nested import flattened, is_nested
from schemas.sentences import Sentence

Location = list[str | int]
# Names under which clients of other systems put an example: TorchServe's, TensorFlow Serving's and our own.
WRAPPERS = {
    "image": ("b64", "image_bytes", "image", "data", "content"),
    "text": ("text", "data", "content"),
    "tabular": ("features", "values", "data"),
    "tensor": ("tensors", "tensor", "values", "data"),
}
BESIDE = "beside the example an object may hold 'target' alone"
MAX_WRAPPERS = 3  # around one value, such as {"image": {"b64": "…"}}
TAKES = {
    "image": "the model takes a picture as base64, or nested numbers",
    "text": "the model takes a text",
    "tabular": "the model takes a row: a list of numbers, or an object with a number for each column",
    "tensor": "the model takes nested numbers",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """One example, as the input of a request of ours.

    `target` is the one that the example names for itself; `named`: whether a row of a table gives its columns by name.
    """

    input: dict[str, Any]
    target: Any = None
    named: bool = False


def read_instances(values: Any, card: InputCard, loc: Location) -> list[Instance]:
    """The examples of a JSON list.

    Raises:
        InvalidRequest: it is no list, is empty or too long, or an example is not of the model's kind.
    """
    if not isinstance(values, list) or not values:
        raise InvalidRequest.at(loc, "give a list of at least one example")
    check_count(len(values), loc)
    return [read_instance(value, card, [*loc, index]) for index, value in enumerate(values)]


def check_count(count: int, loc: Location) -> None:
    """Raise `InvalidRequest` for more examples than one request may hold."""
    if count > MAX_EXAMPLES:
        raise InvalidRequest.at(
            loc, Sentence("{given} examples; at most {most} are accepted", given=count, most=MAX_EXAMPLES)
        )


def read_instance(value: Any, card: InputCard, loc: Location) -> Instance:
    """One example of a model: a picture as base64, a text, a row of a table, or numbers nested as the model takes them.

    Raises:
        InvalidRequest: the value is none of these.
    """
    columns = [column.name for column in card.features or []]
    inner, target, name = _unwrapped(value, card, columns)
    if card.kind == "text" and isinstance(inner, str):
        return Instance({"text": inner}, target)
    if card.kind == "image" and isinstance(inner, str):
        return Instance({"image": inner}, target)
    if card.kind == "tabular" and isinstance(inner, dict):
        return Instance({"features": inner}, target, named=True)
    if card.kind == "tabular" and isinstance(inner, list):
        return Instance({"features": row(inner, columns, loc)}, target)
    if card.kind in ("image", "tensor") and isinstance(inner, list):
        if name == "tensors":
            return Instance(
                {"tensors": [_one_example(one, card, loc) for one in inner[: MAX_INPUT_TENSORS + 1]]}, target
            )
        return Instance({"tensor": _one_example(inner, card, loc)}, target)
    has_more = isinstance(inner, dict) and not inner.keys().isdisjoint(WRAPPERS[card.kind])
    raise InvalidRequest.at(loc, BESIDE if has_more else TAKES[card.kind])


def _unwrapped(value: Any, card: InputCard, columns: Sequence[str]) -> tuple[Any, Any, str | None]:
    """The value inside objects such as `{"data": …}`, the target beside it, and the name that it had."""
    target = last = None
    for _ in range(MAX_WRAPPERS):
        if not isinstance(value, dict) or (card.kind == "tabular" and not value.keys().isdisjoint(columns)):
            break
        name = next((name for name in WRAPPERS[card.kind] if name in value), None)
        if name is None or value.keys() - {name, "target"}:
            break
        value, target, last = value[name], value.get("target", target), name
    return value, target, last


def row(values: Sequence[Any], columns: Sequence[str], loc: Location) -> dict[str, Any]:
    """A row in the order of the card's columns, in the table's own units.

    Raises:
        InvalidRequest: there are more or fewer values than columns.
    """
    if len(values) != len(columns):
        raise InvalidRequest.at(
            loc, Sentence("the model takes {count} columns; {given} given", count=len(columns), given=len(values))
        )
    return dict(zip(columns, values, strict=True))


def _one_example(value: Any, card: InputCard, loc: Location) -> dict[str, Any]:
    """A model-ready tensor of one example, from nested numbers. Raises `InvalidRequest` where they are ragged."""
    shape: list[int] = [1]
    level = value
    while isinstance(level, list) and len(shape) <= MAX_TENSOR_RANK:
        shape.append(len(level))
        level = level[0] if level else None
    try:
        data = flattened(value) if is_nested(value) else value
    except ValueError as error:
        raise InvalidRequest.at(loc, error.args[0]) from None
    return {"datatype": card.datatype, "shape": shape, "data": data if isinstance(data, list) else [data]}


def joined(inputs: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The examples as the input of one job; None where they have several forms or shapes, or are texts, whose numbers
    of tokens only a worker knows."""
    if len(inputs) == 1:
        return inputs[0]
    kind = next(iter(inputs[0]))
    if kind == "text" or any(kind not in one for one in inputs):
        return None
    values = [one[kind] for one in inputs]
    if kind not in ("tensor", "tensors"):
        return {kind: values}
    tensors = [[value] if kind == "tensor" else value for value in values]
    if any([one["shape"] for one in each] != [one["shape"] for one in tensors[0]] for each in tensors):
        return None
    whole = [_stacked(same) for same in zip(*tensors, strict=True)]
    return {kind: whole[0] if kind == "tensor" else whole}


def _stacked(tensors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tensors of one example each as one."""
    data = [number for one in tensors for number in one["data"]]
    return {**tensors[0], "shape": [len(tensors), *tensors[0]["shape"][1:]], "data": data}
