"""All mistakes of a `model.toml` at once: unknown and wrong fields, each by its dotted path, and files not there."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from workers.repository.field_rules import BrokenRules, Place, broken_rules, section

# Fields that name a file of the model's folder; of a factory and a tokenizer, the forms that do.
_FILES = ("weights", "file", "output.labels", "explain.background", "input.tokenizer", "factory")


def known_fields(model: type[BaseModel], before: str = "") -> dict[str, Any]:
    """Every field by its dotted path; what stands in a list is written `input.features[].name`."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        path = before + name
        inner, listed = section(field.annotation)
        if inner is None or listed:
            found[path] = field
        if inner is not None:
            found |= known_fields(inner, f"{path}[]." if listed else f"{path}.")
    return found


def mistakes(model: type[BaseModel], fields: dict[str, Any], error: ValidationError, folder: Path) -> list[str]:
    """One sentence for each, in the order of the file: fields first, then what does not fit together, then files.

    Pydantic holds rules between fields only against a section without any other mistake, so they are looked at here.
    """
    by_place: dict[str, list[str]] = {}
    errors = [
        one for one in error.errors(include_url=False) if not isinstance(one.get("ctx", {}).get("error"), BrokenRules)
    ]
    misspelt = _misspelt(model, fields, [one["loc"] for one in errors if one["type"] == "extra_forbidden"])
    for one in errors:
        missing = one["type"] == "missing"
        if missing and tuple(map(str, one["loc"])) in misspelt:
            continue
        parts = _written(one["loc"], fields, missing=missing)
        told = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            told = f"unknown field{_nearest(parts, model)}"
        said = by_place.setdefault(".".join(parts) or "model.toml", [])
        said.extend(line for line in told.splitlines() if line not in said)
    told_fields = [f"{where}: {' or '.join(said)}" for where, said in by_place.items()]
    unsound = misspelt | {place for one in errors for place in _fields_at(model, one["loc"])}
    told_rules = [f"{'.'.join(own) or 'model.toml'}: {said}" for own, said in broken_rules(model, fields, unsound)]
    files = [one for one in missing_files(fields, folder) if one.partition(":")[0] not in by_place]
    return told_fields + told_rules + files


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterator[Place]:
    """The field that a mistake lies in, a section or what stands in one; none for a field that is not known."""
    place: Place = ()
    inner: type[BaseModel] | None = model
    for part in loc:
        if inner is None or not isinstance(part, str) or part not in inner.model_fields:
            break
        place = (*place, part)
        held, listed = section(inner.model_fields[part].annotation)
        inner = None if listed else held
    if place and (inner is None or len(place) == len(loc)):
        yield place


def _misspelt(model: type[BaseModel], fields: dict[str, Any], unknown: list[tuple[int | str, ...]]) -> set[Place]:
    """Fields that are not given by their names, and most likely meant by unknown ones: they count as given."""
    found: set[Place] = set()
    for loc in unknown:
        parts = [str(part) for part in loc]
        meant = _closest(parts, _own_fields(parts, model))
        table: Any = fields
        for part in loc[:-1]:
            table = table[part]
        if meant is not None and meant not in table:
            found.add((*parts[:-1], meant))
    return found


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


def _own_fields(parts: list[str], model: type[BaseModel]) -> list[str]:
    """The names in the section that a place lies in."""
    section_of_it = ".".join(part for part in parts[:-1] if not part.isdigit())
    known = [path.replace("[]", "").rpartition(".") for path in known_fields(model)]
    return [name for before, _, name in known if before == section_of_it]


def _closest(parts: list[str], own: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(parts[-1].casefold(), own, n=1, cutoff=0.6)), None)


def _nearest(parts: list[str], model: type[BaseModel]) -> str:
    """The field most like it: of its own section, else of any; else the names that there are."""
    own = _own_fields(parts, model)
    close = _closest(parts, own)
    if close is not None:
        return f"; did you mean {close!r}?"
    last = {path.replace("[]", "").rpartition(".")[2]: path.replace("[]", "") for path in reversed(known_fields(model))}
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
