"""Writes `attribution_client/wire/`: the types of requests and of answers, from the service's OpenAPI description.

    python client/generate_types.py               # writes the files anew
    python client/generate_types.py openapi.json  # from a stored description, such as that of a running service

Requests become `TypedDict`s, which are the JSON objects themselves. Answers become frozen dataclasses, which
`attribution_client.decode` makes. A test compares the files with what this script gives for the current service.
"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WIRE = HERE / "attribution_client" / "wire"
REQUESTS = ("ExplainRequest", "CompareRequest")
ANSWERS = (
    "AdminCommandStatus",
    "Comparison",
    "Explanation",
    "Health",
    "Job",
    "JobPage",
    "MethodCatalogue",
    "ModelCard",
    "ModelList",
    "Problem",
)
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '''"""{what}

Written by `client/generate_types.py` from the service's OpenAPI description; do not edit.
"""
{imports}
'''
REQUEST_HEAD = HEAD.format(
    what="The JSON objects of requests.",
    imports="\nfrom __future__ import annotations\n\nfrom typing import Literal, TypedDict\n",
)
ANSWER_HEAD = HEAD.format(
    what="The documents that the service answers with.",
    imports="\nfrom __future__ import annotations\n\nfrom dataclasses import dataclass, field\n"
    "from typing import Any, Literal\n",
)
INSTEAD = {"AttributionTensor": "TensorSpec"}  # the client fetches the numbers apart, in binary
WIDTH = 110

Schema = dict[str, Any]


def generate(document: Schema) -> dict[str, str]:
    """The text of each file of `attribution_client/wire/` by its name, formatted.

    Raises:
        KeyError: the description lacks a schema that the client needs.
        ValueError: a schema has a form that this script does not know.
    """
    schemas: dict[str, Schema] = document["components"]["schemas"]
    requests = [_typed_dict(name, schemas[name]) for name in _closure(REQUESTS, schemas)]
    answers = [_dataclass(name, schemas[name]) for name in _closure(ANSWERS, schemas)]
    return {
        "requests.py": _with_aliases(REQUEST_HEAD, requests, _request_aliases(schemas)),
        "limits.py": _limits(schemas),
        "answers.py": _with_aliases(ANSWER_HEAD, answers, {"JobStatus": _type(schemas["Job"]["properties"]["status"])}),
    }


def _limits(schemas: dict[str, Schema]) -> str:
    """What a client checks before it reads a file or builds a request."""
    image = schemas["ImageInput"]["properties"]["image"]["anyOf"][1]
    text = schemas["TextInput"]["properties"]["text"]["anyOf"][0]
    head = HEAD.format(what="Limits of a request.", imports="")
    values = {
        "MAX_EXAMPLES": image["maxItems"],
        "MAX_IMAGE_BYTES": image["items"]["maxLength"] // 4 * 3,
        "MAX_TEXT_CHARS": text["maxLength"],
    }
    return _formatted(head + "\n".join(f"{name} = {value}" for name, value in values.items()))


def _request_aliases(schemas: dict[str, Schema]) -> dict[str, str]:
    """Types that several requests share, by the name that they get, the smaller ones first."""
    explain = schemas["ExplainRequest"]["properties"]
    baseline = schemas["IntegratedGradients"]["properties"]["baseline"]
    return {
        "BaselineName": next(_type(one) for one in baseline["anyOf"] if "enum" in one),
        "Input": _type(explain["input"]),
        "MethodName": _type(explain["method"]["anyOf"][0]),
        "Method": " | ".join(_type(one) for one in explain["method"]["anyOf"] if one.get("type") != "null"),
        "Metric": _type(explain["quality"]["items"]),
        "Target": _union(_type(one) for one in explain["target"]["anyOf"] if one.get("type") != "null"),
    }


def _with_aliases(head: str, classes: list[str], aliases: dict[str, str]) -> str:
    """The file: classes, in which an alias stands for each shared type, and the aliases after them."""
    body = "\n\n".join(classes)
    written = []
    while aliases:
        name, text = next(iter(aliases.items()))
        written.append(f"{name} = {text}")
        body = _replaced(body, text, name)
        aliases = {later: _replaced(one, text, name) for later, one in aliases.items() if later != name}
    return _formatted("\n\n".join([head, body, *written]))


def _replaced(source: str, text: str, name: str) -> str:
    """The source, in which the name stands for a whole type or for the first members of a union."""
    source = source.replace(f" {text}", f" {name}").replace(f"[{text}", f"[{name}")
    return name + source[len(text) :] if source.startswith(text) else source


def _closure(roots: Iterable[str], schemas: dict[str, Schema]) -> list[str]:
    """The roots and every schema that they refer to, sorted by name."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return sorted(found)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield _referred(part)
        for key, value in part.items():
            if key != "discriminator":
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _referred(schema: Schema) -> str:
    name = str(schema["$ref"]).rsplit("/", 1)[-1]
    return INSTEAD.get(name, name)


def _typed_dict(name: str, schema: Schema) -> str:
    """A `TypedDict`; required keys stand in a base of their own, because Python 3.10 has no `NotRequired`."""
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    needed = [_key(key, one) for key, one in properties.items() if key in required]
    others = [_key(key, one) for key, one in properties.items() if key not in required]
    doc = _docstring(schema)
    if not needed or not others:
        total = "" if needed or not others else ", total=False"
        return f"class {name}(TypedDict{total}):\n{_body([doc, *needed, *others])}"
    base = f"_{name}Required"
    return f"class {base}(TypedDict):\n{_body(needed)}\n\n\nclass {name}({base}, total=False):\n{_body([doc, *others])}"


def _key(key: str, schema: Schema) -> str:
    return f"{key}: {_type(schema)}"


def _dataclass(name: str, schema: Schema) -> str:
    """A frozen dataclass; fields without a default come first. Fields that a later service adds are not in it."""
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    first = [f"{key}: {_type(one)}" for key, one in properties.items() if key in required]
    later = [f"{key}: {_type(one)} = {_default(one)}" for key, one in properties.items() if key not in required]
    fields = [line for line in [*first, *later] if line]
    return f"@dataclass(frozen=True)\nclass {name}:\n{_body([_docstring(schema), *fields])}"


def _default(schema: Schema) -> str:
    """The default of a field that an answer may leave out; None where the description gives none that is plain."""
    default = schema.get("default")
    if schema.get("type") == "array":
        return "field(default_factory=list)"
    if schema.get("type") == "object":
        return "field(default_factory=dict)"
    if isinstance(default, dict):
        return f"field(default_factory={_referred(schema)})"
    return repr(default)


def _type(schema: Schema) -> str:
    """The Python type of a schema, as it is written in an annotation."""
    if "$ref" in schema:
        return _referred(schema)
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum', [schema.get('const')])))}]"
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return _union(_type(one) for one in choices)
    kind = schema.get("type")
    if kind in {"array", "object"}:
        return _array(schema) if kind == "array" else _mapping(schema)
    if kind is not None:
        return PLAIN[kind]
    if schema.keys() - {"title", "description", "default"}:
        raise ValueError(f"unknown form of a schema: {json.dumps(schema)[:300]}")
    return "Any"


def _mapping(schema: Schema) -> str:
    values = schema.get("additionalProperties", True)
    return f"dict[str, {_type(values) if isinstance(values, dict) else 'Any'}]"


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"list[{_union(_type(one) for one in schema['prefixItems'])}]"
    return f"list[{_type(schema.get('items', {}))}]"


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(part for one in types for part in _members(one)))


def _members(written: str) -> Iterator[str]:
    """The members of a union, which may be one type; a bar within brackets belongs to a member."""
    depth, start = 0, 0
    for place, letter in enumerate(written):
        depth += (letter == "[") - (letter == "]")
        if not depth and written.startswith(" | ", place):
            yield written[start:place]
            start = place + 3
    yield written[start:]


def _docstring(schema: Schema) -> str:
    """The schema's description, then what each property is, where that is said."""
    told = textwrap.fill(" ".join(schema.get("description", "").split()), WIDTH)
    fields = [
        textwrap.fill(f"{key}: {' '.join(one['description'].split())}", WIDTH, subsequent_indent="    ")
        for key, one in schema.get("properties", {}).items()
        if "description" in one
    ]
    if not told and not fields:
        return ""
    text = told or "Fields:"
    if fields:
        text += "\n\n" + "\n".join(fields) + "\n"
    return f'r"""{text}"""' if "\\" in text else f'"""{text}"""'


def _body(lines: Iterable[str]) -> str:
    written = "\n".join(line for line in lines if line)
    return textwrap.indent(written or "pass", "    ")


def _formatted(source: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(WIRE / "generated.py"), "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout


def describe_service() -> Schema:
    """The OpenAPI description of the service beside this folder."""
    sys.path.insert(0, str(HERE.parent))
    from service.app import create_app  # noqa: PLC0415  # only where no description is given
    from service.settings import GatewaySettings  # noqa: PLC0415

    made: Schema = json.loads(json.dumps(create_app(GatewaySettings()).openapi()))
    return made


def main() -> None:
    """Writes the files."""
    document = json.loads(Path(sys.argv[1]).read_text("utf-8")) if len(sys.argv) > 1 else describe_service()
    for name, text in generate(document).items():
        (WIRE / name).write_text(text, "utf-8")
        print(f"written: {(WIRE / name).relative_to(HERE)}")


if __name__ == "__main__":
    main()
