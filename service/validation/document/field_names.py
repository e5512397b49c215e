"""The fields that a request may have at each place, and messages about unknown ones."""

from typing import Any

from schemas.methods import METHODS
from schemas.methods.names import canonical_method_name
from schemas.metric_requests import QUALITIES
from schemas.requests import INPUT_KEYS, ExplainRequest
from schemas.sentences import Sentence
from schemas.tensors import Tensor
from service.validation.document.suggest import nearest, unknown_field

Place = tuple[str | int, ...]
PARAMETERS = tuple(sorted({field for cls in METHODS.values() for field in cls.model_fields} - {"name", "method"}))


def known_fields(parent: Place, document: Any) -> list[str]:
    """The fields that an object at this place of a request may have; empty if they are not known."""
    if parent == ():
        return list(ExplainRequest.model_fields)
    if parent == ("input",):
        return list(INPUT_KEYS)
    if parent == ("method",) or (len(parent) == 2 and parent[0] == "methods"):
        return _parameters(document, parent)
    if len(parent) == 2 and parent[0] == "quality":
        metric = QUALITIES.get(_name(_at(document, parent)))
        return [field for field in metric.model_fields if field != "name"] if metric else []
    is_tensor = parent[-1] == "tensor" or (len(parent) > 1 and parent[-2] == "tensors")
    return list(Tensor.model_fields) if is_tensor else []


def intended_place(place: Place, document: Any) -> Place:
    """The place of the known field that an unknown one most likely means; the place itself if none is close."""
    meant = nearest(str(place[-1]), known_fields(place[:-1], document))
    return place if meant is None else (*place[:-1], meant)


def unknown_field_message(place: Place, document: Any) -> str:
    """The message about the unknown field at this place."""
    name = str(place[-1])
    if len(place) == 1:
        inside = _misplaced(name, document)
        if inside is not None:
            return inside
    return unknown_field(name, known_fields(place[:-1], document))


def _misplaced(name: str, document: Any) -> str | None:
    """The message about a top-level field that belongs inside the method or the input; None for other fields."""
    if name not in PARAMETERS and name not in INPUT_KEYS and nearest(name, ExplainRequest.model_fields) is not None:
        return None
    for owner, fields in (("input", INPUT_KEYS), ("method", _parameters(document)), ("method", PARAMETERS)):
        meant = nearest(name, fields)
        if meant is not None:
            return Sentence("unknown field; did you mean {meant!r} inside {owner!r}?", meant=meant, owner=owner)
    return None


def _parameters(document: Any, place: Place = ("method",)) -> list[str]:
    """The parameters of the method at this place, `method` or one of `methods`."""
    method = METHODS.get(canonical_method_name(_name(_at(document, place))) or "")
    return [field for field in method.model_fields if field != "name"] if method else []


def _name(value: Any) -> str:
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


def _at(document: Any, place: Place) -> Any:
    for part in place:
        is_there = (
            part in document if isinstance(document, dict) else isinstance(document, list) and isinstance(part, int)
        )
        if not is_there:
            return None
        document = document[part]
    return document
