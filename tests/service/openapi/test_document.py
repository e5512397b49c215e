"""The OpenAPI document: complete, true, and with examples that work."""

import json
from typing import Any

import httpx
import pytest
from jsonschema_rs import validator_for

from schemas.methods import METHOD_NAMES
from service.app import create_app
from service.openapi.examples import CANCELLED_JOB, EXPLANATION, FORM_REQUESTS, JSON_REQUESTS, QUEUED_JOB, SUCCEEDED_JOB
from tests.service.conftest import SETTINGS

READING = {"401", "403", "404", "409", "500", "503"}  # of dialects, whose errors are their own
EXPLAINING = {"400", "401", "403", "404", "409", "413", "415", "429", "500", "503", "504"}
VERSIONS = ("", "/versions/{version}")
VERTEX = "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}"
ROUTES = {
    ("post", "/explain"): {
        *("200", "202", "400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "500", "503")
    },
    ("post", "/compare"): {
        *("200", "202", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503")
    },
    ("get", "/comparisons/{comparison_id}"): {"200", "401", "403", "404", "500", "503"},
    ("delete", "/comparisons/{comparison_id}"): {"200", "401", "403", "404", "500", "503"},
    ("get", "/comparisons/{comparison_id}/sheet.png"): {
        *("200", "304", "401", "403", "404", "409", "422", "500", "503")
    },
    ("get", "/"): {"200", "304", "406", "500"},
    ("get", "/jobs"): {"200", "401", "403", "422", "500", "503"},
    ("get", "/jobs/{job_id}"): {"200", "401", "403", "404", "500", "503"},
    ("delete", "/jobs/{job_id}"): {"200", "401", "403", "404", "500", "503"},
    ("get", "/jobs/{job_id}/events"): {"200", "401", "403", "404", "500", "503"},
    ("get", "/jobs/{job_id}/result"): {"200", "304", "401", "403", "404", "406", "409", "422", "500", "503"},
    ("get", "/jobs/{job_id}/quality.png"): {"200", "304", "401", "403", "404", "409", "422", "500", "503"},
    ("get", "/jobs/{job_id}/quality.svg"): {"200", "304", "401", "403", "404", "409", "422", "500", "503"},
    ("get", "/jobs/{job_id}/path"): {"200", "304", "401", "403", "404", "409", "422", "500", "503"},
    ("get", "/jobs/{job_id}/path.webp"): {"200", "304", "401", "403", "404", "406", "409", "422", "500", "503"},
    ("get", "/jobs/{job_id}/overlay.png"): {"200", "304", "401", "403", "404", "406", "409", "422", "500", "503"},
    ("get", "/models"): {"200", "401", "403", "500", "503"},
    ("get", "/models/{name}"): {"200", "401", "403", "404", "422", "500", "503"},
    ("post", "/models/{name}/load"): {"200", "202", "400", "401", "403", "404", "413", "422", "500", "503"},
    ("post", "/models/{name}/unload"): {"200", "202", "400", "401", "403", "404", "413", "422", "500", "503"},
    ("get", "/monitors"): {"200", "401", "403", "500", "503"},
    ("put", "/monitors/{name}"): {"200", "201", "400", "401", "403", "404", "409", "413", "415", "422", "500", "503"},
    ("get", "/monitors/{name}"): {"200", "401", "403", "404", "500", "503"},
    ("delete", "/monitors/{name}"): {"204", "401", "403", "404", "500", "503"},
    ("get", "/methods"): {"200", "406", "422", "500"},
    ("get", "/methods/{name}"): {"200", "404", "406", "422", "500"},
    ("get", "/healthz"): {"200", "500"},
    ("get", "/readyz"): {"200", "500", "503"},
    ("get", "/metrics"): {"200", "401", "403", "500"},
    ("get", "/v1/models/{name}"): {"200", *READING},
    ("post", "/v1/models/{name}:explain"): {"200", *EXPLAINING},
    ("get", f"{VERTEX}"): {"200", *READING},
    ("post", f"{VERTEX}:explain"): {"200", *EXPLAINING},
    **{
        (method, f"/explanations/{{name}}{version}"): {"200", *EXPLAINING}
        for method in ("post", "put")
        for version in ("", "/{version}")
    },
    ("get", "/v2"): {"200", "500"},
    ("get", "/v2/health/live"): {"200", "500"},
    ("get", "/v2/health/ready"): {"200", "500", "503"},
    **{
        ("get", f"/v2/models/{{name}}{version}{ready}"): {"200", *READING}
        for version in VERSIONS
        for ready in ("", "/ready")
    },
    **{
        ("post", f"/v2/models/{{name}}{version}/{verb}"): {"200", *EXPLAINING}
        for version in VERSIONS
        for verb in ("infer", "explain")
    },
}
DIALECT_ERRORS = {
    "/explanations": "TorchServeError",
    "/v1/models": "DialectError",
    "/v1/projects": "VertexError",
    "/v2": "DialectError",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(create_app(SETTINGS).openapi()))
    return made


def test_every_route_and_status(document: dict[str, Any]) -> None:
    declared = {
        (method, path): set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert declared == ROUTES


def error_schema(path: str) -> tuple[str, str]:
    """The media type and the schema of the errors of a path."""
    dialect = next((schema for prefix, schema in DIALECT_ERRORS.items() if path.startswith(prefix)), None)
    return ("application/json", dialect) if dialect else ("application/problem+json", "Problem")


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        media, schema = error_schema(path)
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    content = response["content"][media]
                    assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}
                    assert "example" in content or content["examples"]
                    assert list(response["content"]) == [media]
                if status in {"429", "503"}:
                    assert "Retry-After" in response["headers"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    def references(value: Any) -> Any:
        if isinstance(value, dict):
            yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            for child in value.values():
                yield from references(child)
        elif isinstance(value, list):
            for child in value:
                yield from references(child)

    used = set(references(document))
    assert used
    assert {reference.removeprefix("#/components/schemas/") for reference in used} <= set(schemas)
    assert "HTTPValidationError" not in schemas


def test_answers_of_a_result(document: dict[str, Any]) -> None:
    content = document["paths"]["/jobs/{job_id}/result"]["get"]["responses"]["200"]["content"]
    drawn = {"image/png", "image/svg+xml", "text/html"}
    assert set(content) == {"application/json", "application/x-npy", "application/vnd.safetensors", *drawn}
    parameters = {one["name"] for one in document["paths"]["/jobs/{job_id}/overlay.png"]["get"]["parameters"]}
    assert {"style", "sign", "colormap", "alpha", "percentile", "size", "example"} <= parameters


def checked(document: dict[str, Any], schema: str, value: Any) -> None:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    validator_for(whole).validate(value)


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    for example in JSON_REQUESTS.values():
        checked(document, "ExplainRequest", example["value"])
    for job in (QUEUED_JOB, SUCCEEDED_JOB, CANCELLED_JOB):
        checked(document, "Job", job)
    checked(document, "Explanation", EXPLANATION)
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    named = content.get("examples", {})
                    values = [one["value"] for one in named.values()]
                    values += [content["example"]] if "example" in content else []
                    for value in values:
                        if "$ref" in content["schema"]:
                            checked(document, content["schema"]["$ref"].rpartition("/")[2], value)


def test_a_method_may_be_a_name(document: dict[str, Any]) -> None:
    by_name = document["components"]["schemas"]["ExplainRequest"]["properties"]["method"]["anyOf"][0]
    assert by_name["enum"] == list(METHOD_NAMES)


@pytest.mark.anyio
@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", JSON_REQUESTS)
async def test_json_examples_work(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post("/explain?wait=15", json=JSON_REQUESTS[name]["value"])
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "succeeded"


@pytest.mark.anyio
@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", FORM_REQUESTS)
async def test_form_examples_work(client: httpx.AsyncClient, name: str) -> None:
    fields = {key: (None, value) for key, value in FORM_REQUESTS[name]["value"].items()}
    response = await client.post("/explain?wait=15", files=fields)
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "succeeded"
