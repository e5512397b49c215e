"""Strict validation by the schemas of custom resource definitions, which `tests/data/crds/` holds."""

import json
from typing import Any

import jsonschema_rs

from tests.paths import ROOT

FOLDER = ROOT / "tests" / "data" / "crds"
DEFINITIONS = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


def _strict(schema: Any) -> Any:
    """The schema, in which no object has a property that is not named. The API server would drop such a property."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _strict(value) for key, value in schema.items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        result["additionalProperties"] = False
    return result


VALIDATORS = {
    (f"{one['group']}/{one['version']}", one["kind"]): jsonschema_rs.Draft202012Validator(_strict(one["schema"]))
    for one in DEFINITIONS
}


def faults(found: dict[str, Any]) -> list[str]:
    """What is wrong with an object of a custom resource; a `KeyError` where its definition is not known."""
    validator = VALIDATORS[found["apiVersion"], found["kind"]]
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(found)]
