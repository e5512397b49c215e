"""The table of `docs/models.md` against the fields themselves."""

import json
import tomllib
from typing import Any

import pytest
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from tests.paths import ROOT
from workers.repository.mistakes import known_fields
from workers.repository.model_toml import ModelConfig

PAGE = ROOT / "docs" / "models.md"
FIELDS: dict[str, FieldInfo] = known_fields(ModelConfig)


def table() -> dict[str, tuple[str, str, str]]:
    _, _, below = PAGE.read_text(encoding="utf-8").partition("\n## All fields\n")
    lines = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {field.strip("`"): (kind, default, example.strip("`")) for field, kind, default, example in cells}


def test_every_field_is_there_and_no_other() -> None:
    assert list(table()) == list(FIELDS)


@pytest.mark.parametrize("path", FIELDS)
def test_the_default_and_the_example_are_right(path: str) -> None:
    kind, default, example = table()[path]
    field = FIELDS[path]
    value: Any = None if field.is_required() else field.get_default(call_default_factory=True)
    assert default == ("required" if field.is_required() else "none" if value is None else f"`{json.dumps(value)}`")
    assert kind
    given = tomllib.loads(f"value = {example}")["value"]
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    assert adapter.validate_python(given) != value
