"""Makes the dataclasses of `wire.answers` from JSON, checking every field.

Fields that the client does not know are ignored, so that it works with a later service.
"""

from __future__ import annotations

import dataclasses
import types
from contextlib import suppress
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from attribution_client.errors import BadAnswer

T = TypeVar("T")


def decode(cls: type[T], document: Any, where: str = "") -> T:
    """The document as an instance of a dataclass of `wire.answers`.

    Raises:
        BadAnswer: a field is absent or of another type. The message names it.
    """
    where = where or cls.__name__
    if not isinstance(document, dict):
        raise BadAnswer(f"{where}: expected an object, got {_kind(document)}")
    values = {}
    for name, kind, required in _fields(cls):  # type: ignore[arg-type]  # a class is hashable
        if name in document:
            values[name] = _value(kind, document[name], f"{where}.{name}")
        elif required:
            raise BadAnswer(f"{where}.{name} is absent")
    return cls(**values)


@cache
def _fields(cls: type[Any]) -> list[tuple[str, Any, bool]]:
    """The name, the type, and whether an answer must hold it, of each field."""
    hints = get_type_hints(cls)
    absent = dataclasses.MISSING
    return [
        (one.name, hints[one.name], one.default is absent and one.default_factory is absent)
        for one in dataclasses.fields(cls)
    ]


def _value(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _one_of(arguments, value, where)
    if origin in {list, dict}:
        return _collection(origin, arguments, value, where)
    if origin is Literal:
        return _checked(isinstance(value, type(arguments[0])), value, where, "a known word")
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return decode(kind, value, where)
    return value if kind is Any else _plain(kind, value, where)


def _collection(origin: Any, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if origin is list:
        _checked(isinstance(value, list), value, where, "a list")
        return [_value(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(value)]
    _checked(isinstance(value, dict), value, where, "an object")
    return {str(key): _value(arguments[1], one, f"{where}.{key}") for key, one in value.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """The value as the first of the types that it fits."""
    if value is None and type(None) in kinds:
        return None
    present = [kind for kind in kinds if kind is not type(None)]
    for kind in present[:-1]:
        with suppress(BadAnswer):
            return _value(kind, value, where)
    return _value(present[-1], value, where)


def _plain(kind: type[Any], value: Any, where: str) -> Any:
    if kind is float:
        return float(_checked(_is_number(value), value, where, "a number"))
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return _checked(fits, value, where, kind.__name__)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _checked(fits: bool, value: T, where: str, expected: str) -> T:
    if not fits:
        raise BadAnswer(f"{where}: expected {expected}, got {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
