"""The generated types are those of the current service, and the client needs no newer Python than it says."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from attribution_client import __all__ as public
from attribution_client.wire import answers, requests
from client.generate_types import WIRE, describe_service, generate
from tests.paths import ROOT

FOLDER = ROOT / "client"


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return generate(describe_service())


@pytest.mark.parametrize("name", ["answers.py", "limits.py", "requests.py"])
def test_the_types_are_current(generated: dict[str, str], name: str) -> None:
    written = Path(WIRE, name).read_text("utf-8")
    assert written == generated[name], "run: python client/generate_types.py"


def test_every_annotation_names_a_type() -> None:
    for module in (answers, requests):
        classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
        assert len(classes) > 40
        for one in classes:
            assert get_type_hints(one) or one.__name__ == "ShapleyValues"


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, "list[int | None]"),
        ({"enum": ["a", "b"], "type": "string"}, "Literal['a', 'b']"),
        ({"const": "a"}, "Literal['a']"),
        ({"$ref": "#/components/schemas/Job"}, "Job"),
        ({"oneOf": [{"type": "string"}, {"type": "string"}, {"type": "number"}]}, "str | float"),
        ({"title": "Anything"}, "Any"),
    ],
)
def test_the_type_of_a_schema(schema: dict[str, Any], written: str) -> None:
    from client.generate_types import _type  # noqa: PLC0415  # private to the script

    assert _type(schema) == written


def test_an_unknown_form_stops_the_script() -> None:
    from client.generate_types import _type  # noqa: PLC0415

    with pytest.raises(ValueError, match="unknown form"):
        _type({"not": {"type": "string"}})


def test_python_3_10_is_enough() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.10"
    assert project["dependencies"] == ["httpx", "numpy"]
    command = [
        str(Path(sys.executable).with_name("vermin")),
        "--no-tips",
        "-t=3.10-",
        str(FOLDER / "attribution_client"),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_it_is_typed() -> None:
    assert (FOLDER / "attribution_client" / "py.typed").is_file()


def test_the_public_names() -> None:
    assert public == sorted(public)
    assert {"Client", "AsyncClient", "Result", "AttributionError", "Retries"} <= set(public)
