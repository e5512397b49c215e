"""Requests made up from the OpenAPI document of the gateway, route by route."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import one_of
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.errors import StillRunning
from service.app import create_app
from service.settings import GatewaySettings

MODES = list(GenerationMode)  # requests that the document allows, and others
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

_schema = schemathesis.openapi.from_dict(create_app(GatewaySettings()).openapi())
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {
    found.ok().label: found.ok()  # type: ignore[union-attr]  # an error has no `ok`, and fails here
    for found in _schema.get_all_operations()
}


def send(case: schemathesis.Case[Any], url: str) -> None:
    """Sends one request. Raises `FailureGroup` when the answer is a defect or is not declared in the document."""
    response = case.call(base_url=url)
    # The wait here is short, and a dialect says by 504 that its job goes on.
    checks = CHECKS if response.status_code != StillRunning.status else CHECKS[1:]
    case.validate_response(response, checks=checks)


def send_boundaries(label: str, url: str, most: int | None) -> int:
    """Sends the requests that walk the boundaries of each parameter and field, and returns their number.

    `most`: no more than so many, taken evenly from all. None: all.
    """
    generation = _schema.config.generation
    cases = list(_schema.iter_coverage_cases(OPERATIONS[label], generation_modes=MODES, generation_config=generation))
    stride = -(-len(cases) // most) if most else 1
    chosen = cases[::stride]
    for case in chosen:
        send(case, url)
    return len(chosen)


def send_drawn(label: str, url: str, examples: int) -> None:
    """Sends requests drawn at random, the same in each run."""
    strategies = [OPERATIONS[label].as_strategy(generation_mode=mode) for mode in MODES]

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(one_of(strategies))
    def each(case: schemathesis.Case[Any]) -> None:
        send(case, url)

    each()
