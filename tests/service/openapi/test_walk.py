"""Whatever is sent to a route, no answer is a defect or an undeclared one. The whole walk is `make walk`."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Response
from schemathesis.core.failures import FailureGroup

from service.app import create_app
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble
from tests.service.openapi.walk import OPERATIONS, send_boundaries, send_drawn
from tests.service.server import Server

BOUNDARIES, EXAMPLES = 40, 15  # per route
DEEP_EXAMPLES = 300


@pytest.fixture(scope="module")
def gateway_url() -> Iterator[str]:
    with StoreServer() as store:
        worker = WorkerDouble(store.url, "attribution")
        worker.start()
        with Server(create_app(GatewaySettings(redis_url=store.url, max_wait_s=0.05))) as server:
            yield server.url
        worker.stop()


def test_every_route_of_the_document_is_walked() -> None:
    paths = create_app(GatewaySettings()).openapi()["paths"]
    assert set(OPERATIONS) == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.parametrize("status", [500, 418])
def test_a_defect_and_an_undeclared_answer_are_seen(status: int) -> None:
    app = FastAPI()
    app.get("/healthz")(lambda: Response(status_code=status))
    with Server(app) as server, pytest.raises(FailureGroup):
        send_boundaries("GET /healthz", server.url, 1)


@pytest.mark.parametrize("label", OPERATIONS)
def test_some_of_what_can_be_sent(label: str, gateway_url: str) -> None:
    assert send_boundaries(label, gateway_url, BOUNDARIES)
    send_drawn(label, gateway_url, EXAMPLES)


@pytest.mark.long
@pytest.mark.parametrize("label", OPERATIONS)
def test_all_boundaries_and_many_others(label: str, gateway_url: str) -> None:
    assert send_boundaries(label, gateway_url, None)
    send_drawn(label, gateway_url, DEEP_EXAMPLES)
