"""CPU work of a gateway: small work on the event loop, the rest in threads."""

import threading
from typing import cast

import pytest

from broker import JobStore
from service.monitoring.http_metrics import HttpMetrics
from service.settings import GatewaySettings
from service.state import Gateway
from service.tuning import SMALL_JSON_BYTES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("size_bytes", "on_the_loop"), [(SMALL_JSON_BYTES, True), (SMALL_JSON_BYTES + 1, False)])
async def test_small_work_runs_on_the_event_loop(size_bytes: int, on_the_loop: bool) -> None:
    gateway = Gateway(GatewaySettings(), cast("JobStore", None), HttpMetrics())
    used = await gateway.compute_sized(size_bytes, threading.get_ident)
    assert (used == threading.get_ident()) is on_the_loop
    assert await gateway.compute(threading.get_ident) != threading.get_ident()


async def test_errors_of_the_work_are_raised() -> None:
    gateway = Gateway(GatewaySettings(), cast("JobStore", None), HttpMetrics())
    with pytest.raises(ValueError, match="invalid literal"):
        await gateway.compute(int, "x")
