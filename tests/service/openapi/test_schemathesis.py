"""Requests made up from the OpenAPI document: whatever is sent, no answer is a defect or an undeclared one."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.errors import StillRunning
from service.app import create_app
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble
from tests.service.server import Server

pytestmark = pytest.mark.slow
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 20  # per route, beside those that walk the boundaries of each parameter

schema = schemathesis.openapi.from_dict(create_app(GatewaySettings()).openapi())


@pytest.fixture(scope="module")
def gateway_url() -> Iterator[str]:
    with StoreServer() as store:
        worker = WorkerDouble(store.url, "attribution")
        worker.start()
        with Server(create_app(GatewaySettings(redis_url=store.url, max_wait_s=0.05))) as server:
            yield server.url
        worker.stop()


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent(case: schemathesis.Case[Any], gateway_url: str) -> None:
    response = case.call(base_url=gateway_url)
    # The wait here is short, and a dialect says by 504 that its job goes on.
    checks = CHECKS if response.status_code != StillRunning.status else CHECKS[1:]
    case.validate_response(response, checks=checks)
