"""All mistakes of a `model.toml` at once: unknown and wrong fields, each by its dotted path, and files not there."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

# Fields that name a file of the model's folder; of a factory and a tokenizer, the forms that do.
_FILES = ("weights", "file", "output.labels", "explain.background", "input.tokenizer", "factory")


def known_fields(model: type[BaseModel], before: str = "") -> dict[str, Any]:
    """Every field by its dotted path; what stands in a list is written `input.features[].name`."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        path = before + name
        inner, listed = _section(field.annotation)
        if inner is None or listed:
            found[path] = field
        if inner is not None:
            found |= known_fields(inner, f"{path}[]." if listed else f"{path}.")
    return found


def _section(annotation: Any, *, listed: bool = False) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, listed
    for argument in get_args(annotation):
        inner, inside_list = _section(argument, listed=listed or getattr(annotation, "__origin__", None) is list)
        if inner is not None:
            return inner, inside_list
    return None, False


def mistakes(model: type[BaseModel], fields: dict[str, Any], error: ValidationError, folder: Path) -> list[str]:
    """One sentence for each, in the order of the file: fields first, then files."""
    by_place: dict[str, list[str]] = {}
    for one in error.errors(include_url=False):
        parts = _written(one["loc"], fields, missing=one["type"] == "missing")
        where = ".".join(parts) or "model.toml"
        told = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            told = f"unknown field{_nearest(parts, model)}"
        said = by_place.setdefault(where, [])
        said.extend(line for line in told.splitlines() if line not in said)
    told_fields = [f"{where}: {' or '.join(said)}" for where, said in by_place.items()]
    return told_fields + [one for one in missing_files(fields, folder) if one.partition(":")[0] not in by_place]


def _written(loc: tuple[int | str, ...], fields: Any, *, missing: bool) -> list[str]:
    """The place as the file has it: pydantic also names the member of a union that it tried."""
    parts: list[str] = []
    for part in loc:
        if (isinstance(fields, dict) and part in fields) or (isinstance(fields, list) and isinstance(part, int)):
            fields = fields[part]  # type: ignore[index]
        elif not (missing and part == loc[-1]):
            break
        parts.append(str(part))
    return parts


def _nearest(parts: list[str], model: type[BaseModel]) -> str:
    """The field most like it: of its own section, else of any; else the names that there are."""
    known = [path.replace("[]", "") for path in known_fields(model)]
    section = ".".join(part for part in parts[:-1] if not part.isdigit())
    own = [path.rpartition(".")[2] for path in known if path.rpartition(".")[0] == section]
    close = difflib.get_close_matches(parts[-1].casefold(), own, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    last = {path.rpartition(".")[2]: path for path in reversed(known)}
    elsewhere = difflib.get_close_matches(parts[-1].casefold(), last, n=1, cutoff=0.75)
    if elsewhere:
        return f"; did you mean {last[elsewhere[0]]!r}?"
    return f"; the fields here are {', '.join(own)}"


def missing_files(fields: dict[str, Any], folder: Path) -> Iterator[str]:
    """What the description names and the folder does not hold; other places than the folder are not looked at."""
    for path in _FILES:
        section, _, name = path.rpartition(".")
        table = fields.get(section, {}) if section else fields
        given = table.get(name) if isinstance(table, dict) else None
        if not isinstance(given, str):
            continue
        if path == "factory":
            given = given.rpartition(":")[0]
        if (path == "factory" and not given.endswith(".py")) or (path == "input.tokenizer" and ":" in given):
            continue
        file = (folder / given).resolve()
        if not file.is_relative_to(folder.resolve()):
            yield f"{path}: {given!r} is not inside the model's folder"
        elif not file.is_file():
            yield f"{path}: {given!r} is not in the model's folder"
