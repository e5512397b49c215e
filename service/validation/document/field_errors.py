"""Pydantic's validation errors in the caller's words: real field names, each once, and never the caller's values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import FieldError
from schemas.methods import METHOD_NAMES
from schemas.metric_requests import QUALITY_NAMES
from service.validation.document.field_names import renamed, unknown
from service.validation.document.hints import TENSOR, Hint, hint
from service.validation.document.suggest import suggestion

MAX_FIELDS = 20  # named in one answer
MAX_NAME_CHARS = 100  # of a field name that the caller chose
PLAIN = {"missing": "this field is required", "list_type": "a list is needed", "string_type": "a text is needed"}
Place = tuple[str | int, ...]
Union = tuple[Place, tuple[str, ...]]  # where it is, and the tags passed there already: unions may be nested


@dataclass(frozen=True, slots=True)
class _FieldProblem:
    """One error: where it is in the document, and the alternatives (union, tag) it was found under."""

    place: Place
    branches: tuple[tuple[Union, str], ...]
    error: Mapping[str, Any]


def field_errors(errors: Sequence[Mapping[str, Any]], document: Any = None) -> list[FieldError]:
    """`ValidationError.errors()` as the fields to name.

    `document` is what was validated. Where it is given, the tags of unions are left out of locations, and where one
    alternative of a union is plainly the one that was meant, what the others complain about is dropped.
    """
    grouped: dict[Place, list[str]] = defaultdict(list)
    for complaint in _not_renamed(list(_meant([_complaint(error, document) for error in errors])), document):
        place, message = _hint(complaint, document) or (complaint.place, _message(complaint, document))
        grouped[place].append(message)
    return [
        FieldError(loc=short(place), msg="; or ".join(dict.fromkeys(messages)))
        for place, messages in list(grouped.items())[:MAX_FIELDS]
    ]


def _complaint(error: Mapping[str, Any], document: Any) -> _FieldProblem:
    """Follows `loc` through the document; what does not lie in it is a union's tag."""
    if document is None:
        return _FieldProblem(tuple(error["loc"]), (), error)
    place: Place = ()
    branches: list[tuple[Union, str]] = []
    value = document
    last = len(error["loc"]) - 1
    for position, part in enumerate(error["loc"]):
        if position == 1 and place == ("input",) and last > 1:
            continue  # the tag, which is the name of a field at the same time
        if _leads_on(value, part):
            value = value[part]
        elif not (position == last and error["type"] == "missing"):
            passed = tuple(tag for (at, _), tag in branches if at == place)
            branches.append(((place, passed), str(part)))
            continue
        place = (*place, part)
    if error["type"].startswith("union_tag"):
        place = (*place, "name")
    return _FieldProblem(place, tuple(branches), error)


def _leads_on(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


def _meant(complaints: list[_FieldProblem]) -> Iterable[_FieldProblem]:
    """The complaints left when each union is reduced to the alternatives that the caller can have meant."""
    tags: dict[Union, set[str]] = defaultdict(set)
    unmeant: dict[Union, set[str]] = defaultdict(set)
    for complaint in complaints:
        for union, tag in complaint.branches:
            tags[union].add(tag)
            if _rules_out(complaint, union):
                unmeant[union].add(tag)
    return (
        complaint
        for complaint in complaints
        if not any(tag in unmeant[union] and tags[union] - unmeant[union] for union, tag in complaint.branches)
    )


def _rules_out(complaint: _FieldProblem, union: Union) -> bool:
    """Whether this error says that the value is of another kind than the alternative it was checked against."""
    kind: str = complaint.error["type"]
    depth = len(complaint.place) - len(union[0])
    if depth == 0:
        return kind.endswith(("_type", "_parsing")) or kind == "literal_error"
    return depth == 1 and kind in {"missing", "extra_forbidden"}


def _hint(complaint: _FieldProblem, document: Any) -> Hint | None:
    """What is wanted in place of the value that this error is about, or of one around it."""
    value = document
    for depth, part in enumerate(complaint.place):
        if not _leads_on(value, part):
            return None
        value = value[part]
        found = hint(complaint.place[: depth + 1], value)
        if found is not None:
            return found
    return None


def _not_renamed(complaints: list[_FieldProblem], document: Any) -> Iterable[_FieldProblem]:
    """Without the fields that are missing because they were sent under another name, which is told there."""
    unknown_ones = [complaint.place for complaint in complaints if complaint.error["type"] == "extra_forbidden"]
    meant = {renamed(place, document) for place in unknown_ones if place}
    return (one for one in complaints if not (one.error["type"] == "missing" and one.place in meant))


def _message(complaint: _FieldProblem, document: Any) -> str:
    error, place = complaint.error, complaint.place
    kind = error["type"]
    if kind.startswith("union_tag"):
        return _no_such(error)
    if kind == "extra_forbidden":
        return unknown(place, document)
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        is_tensor = "tensor" in place[-1:] or "tensors" in place[-2:-1]
        return f"a tensor is an object {TENSOR}" if is_tensor else "an object is needed"
    return PLAIN.get(kind) or str(error["msg"]).removeprefix("Value error, ")


def _no_such(error: Mapping[str, Any]) -> str:
    """Of the name that says which method or metric is meant."""
    what, names = ("metric", QUALITY_NAMES) if error["loc"][0] == "quality" else ("method", METHOD_NAMES)
    if error["type"] == "union_tag_not_found":
        return f'the {what}\'s name is missing: {{"name": …}}'
    return f"no such {what}{suggestion(str(error['ctx']['tag']), names)}; known: {', '.join(names)}"


def short(place: Iterable[str | int]) -> list[str | int]:
    """A location for a client to read: names that it made up itself are cut."""
    return [part[:MAX_NAME_CHARS] if isinstance(part, str) else part for part in place]
