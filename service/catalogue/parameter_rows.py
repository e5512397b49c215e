"""The parameters of a method as rows of a table for people, from their JSON schema. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter. Text between backticks in `description` is code."""

    name: str
    values: str
    default: str
    description: str


def parameter_rows(schema: Mapping[str, Any], words: Mapping[str, str]) -> list[ParameterRow]:
    """The parameters but `name`, in the order of their definition.

    Args:
        schema: the JSON schema of the method, with its definitions in `$defs`.
        words: the table `page` of a language.
    """
    required = schema.get("required", [])
    return [
        ParameterRow(
            name=name,
            values=values_of(field, schema.get("$defs", {}), words),
            default=words["required"] if name in required else _default(field, words),
            description=field["description"],
        )
        for name, field in schema["properties"].items()
        if name != "name"
    ]


def values_of(field: Mapping[str, Any], definitions: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The values that a field accepts: `0 ≤ integer ≤ 9`, `"a" | "b"`. None, which means the default, is left out."""
    if "$ref" in field:
        return _object(field["$ref"].rpartition("/")[2], definitions, words)
    if "anyOf" in field:
        kinds = (values_of(kind, definitions, words) for kind in field["anyOf"] if kind.get("type") != "null")
        return " | ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " | ".join(json.dumps(value) for value in field["enum"])
    if "const" in field:
        return json.dumps(field["const"])
    if field["type"] == "array":
        return f"[{values_of(field['items'], definitions, words)}, …]"
    return _bounded(words[field["type"]], field)


def _object(name: str, definitions: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """An object by its keys, such as `{"grid": …}`; a tensor by its name."""
    if name == "Tensor":
        return words["tensor"]
    fields = definitions[name]["properties"].items()
    entries = (f"{json.dumps(key)}: {values_of(field, definitions, words)}" for key, field in fields)
    return f"{{{', '.join(entries)}}}"


def _bounded(word: str, field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    left = f"{_number(low)} ≤ " if low is not None else f"{_number(above)} < " if above is not None else ""
    right = f" ≤ {_number(high)}" if high is not None else f" < {_number(below)}" if below is not None else ""
    return f"{left}{word}{right}"


def _number(value: float | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _default(field: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return words["none"] if field.get("default") is None else json.dumps(field["default"])
