"""Converts pydantic's validation errors to messages for clients: each field once, and never the client's values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from schemas.errors import FieldError
from schemas.methods import METHOD_NAMES
from schemas.metric_requests import QUALITY_NAMES
from schemas.sentences import Sentence, words
from service.tuning import MAX_COMPARED_FIELDS, MAX_NAME_CHARS, MAX_NAMED_ERRORS
from service.validation.document.field_names import intended_place, unknown_field_message
from service.validation.document.hints import A_TENSOR, Hint, hint
from service.validation.document.suggest import with_suggestion

PLAIN = {"missing": "this field is required", "list_type": "a list is needed", "string_type": "a string is needed"}
BOUNDS = {  # pydantic's messages, with the names of its context
    "greater_than_equal": "Input should be greater than or equal to {ge}",
    "greater_than": "Input should be greater than {gt}",
    "less_than_equal": "Input should be less than or equal to {le}",
    "less_than": "Input should be less than {lt}",
    "literal_error": "Input should be {expected}",
}
Place = tuple[str | int, ...]
Union = tuple[Place, tuple[str, ...]]  # its place, and the tags of the unions around it at the same place


@dataclass(frozen=True, slots=True)
class _LocatedError:
    """One error: its place in the document, and the alternatives (union, tag) under which pydantic found it."""

    place: Place
    branches: tuple[tuple[Union, str], ...]
    error: Mapping[str, Any]


def field_errors(errors: Sequence[Mapping[str, Any]], document: Any = None) -> list[FieldError]:
    """The refused fields of `ValidationError.errors()`, each with one message.

    Pydantic reports the errors of every alternative of a union. Given the validated `document`, the tags of unions are
    removed from locations, and errors of alternatives that the value cannot mean are dropped.
    """
    grouped: dict[Place, list[str]] = defaultdict(list)
    for item in _without_renamed(list(_plausible([_locate(error, document) for error in errors])), document):
        found = _hint(item, document)
        place = found[0] if found is not None else item.place
        if place in grouped or len(grouped) < MAX_NAMED_ERRORS:  # to write a message takes most of the time
            grouped[place].append(found[1] if found is not None else _message(item, document))
    return [FieldError(loc=short(place), msg=_alternatives(*dict.fromkeys(msgs))) for place, msgs in grouped.items()]


def _locate(error: Mapping[str, Any], document: Any) -> _LocatedError:
    """Follow `loc` through the document. A part that the document does not have is a union's tag."""
    if document is None:
        return _LocatedError(tuple(error["loc"]), (), error)
    place: Place = ()
    branches: list[tuple[Union, str]] = []
    value = document
    last = len(error["loc"]) - 1
    for position, part in enumerate(error["loc"]):
        if position == 1 and place == ("input",) and last > 1:
            continue  # the tag, which is the name of a field at the same time
        if _has_part(value, part):
            value = value[part]
        elif not (position == last and error["type"] == "missing"):
            passed = tuple(tag for (at, _), tag in branches if at == place)
            branches.append(((place, passed), str(part)))
            continue
        place = (*place, part)
    if error["type"].startswith("union_tag"):
        place = (*place, "name")
    return _LocatedError(place, tuple(branches), error)


def _has_part(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


def _plausible(located: list[_LocatedError]) -> Iterable[_LocatedError]:
    """The errors that remain when each union is reduced to the alternatives that the value can mean."""
    tags: dict[Union, set[str]] = defaultdict(set)
    ruled_out: dict[Union, set[str]] = defaultdict(set)
    for item in located:
        for union, tag in item.branches:
            tags[union].add(tag)
            if _rules_out(item, union):
                ruled_out[union].add(tag)
    return (
        item
        for item in located
        if not any(tag in ruled_out[union] and tags[union] - ruled_out[union] for union, tag in item.branches)
    )


def _rules_out(item: _LocatedError, union: Union) -> bool:
    """Whether this error shows that the value is of another kind than the alternative that it was checked against."""
    kind: str = item.error["type"]
    depth = len(item.place) - len(union[0])
    if depth == 0:
        return kind.endswith(("_type", "_parsing")) or kind == "literal_error"
    return depth == 1 and kind in {"missing", "extra_forbidden"}


def _hint(item: _LocatedError, document: Any) -> Hint | None:
    """The hint for the value of this error, or for a value around it."""
    value = document
    for depth, part in enumerate(item.place):
        if not _has_part(value, part):
            return None
        value = value[part]
        found = hint(item.place[: depth + 1], value)
        if found is not None:
            return found
    return None


def _without_renamed(located: list[_LocatedError], document: Any) -> Iterable[_LocatedError]:
    """The errors without fields that are missing only because they were sent under a similar, unknown name."""
    unknown = dict.fromkeys(item.place for item in located if item.error["type"] == "extra_forbidden" and item.place)
    intended = {intended_place(place, document) for place in islice(unknown, MAX_COMPARED_FIELDS)}
    return (one for one in located if not (one.error["type"] == "missing" and one.place in intended))


def _message(item: _LocatedError, document: Any) -> str:
    error, place = item.error, item.place
    kind = error["type"]
    if kind.startswith("union_tag"):
        return _unknown_name(error)
    if kind == "extra_forbidden":
        return unknown_field_message(place, document)
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        is_tensor = "tensor" in place[-1:] or "tensors" in place[-2:-1]
        return A_TENSOR if is_tensor else "an object is needed"
    return PLAIN.get(kind) or _of_pydantic(error)


def _of_pydantic(error: Mapping[str, Any]) -> str:
    """The message of pydantic or of a validator, with its values kept apart from its words."""
    template = BOUNDS.get(error["type"])
    if template is not None:
        return Sentence(template, **error["ctx"])
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, ValueError) and isinstance(raised.args[0], Sentence):  # of a validator of ours
        return raised.args[0]
    return str(error["msg"]).removeprefix("Value error, ")


def _alternatives(*messages: str) -> str:
    """One message of those about the alternatives of a field. A question ends it, so there is one at most."""
    questions = [message for message in messages if message.endswith("?")]
    first, *others = [message for message in messages if message not in questions] + questions[:1]
    for other in others:
        first = Sentence("{first}; or {second}", first=words(first), second=words(other))
    return first


def _unknown_name(error: Mapping[str, Any]) -> str:
    """The message about a missing or unknown name of a method or metric."""
    what, names = (words("metric"), QUALITY_NAMES) if error["loc"][0] == "quality" else (words("method"), METHOD_NAMES)
    if error["type"] == "union_tag_not_found":
        return Sentence('the {what}\'s name is missing: {{"name": …}}', what=what)
    listed = Sentence("known: {names}", names=", ".join(names))
    return with_suggestion(Sentence("no such {what}", what=what), str(error["ctx"]["tag"]), names, listed)


def short(place: Iterable[str | int]) -> list[str | int]:
    """A location for a response: names of the client's own are cut to `MAX_NAME_CHARS`."""
    return [part[:MAX_NAME_CHARS] if isinstance(part, str) else part for part in place]
