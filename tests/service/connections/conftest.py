"""One gateway process for the attacks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import StoreServer
from tests.service.connections.gateway_process import GatewayProcess, gateway_process


@pytest.fixture(scope="module")
def gateway(store_server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    log: Path = tmp_path_factory.mktemp("gateway") / "log"
    with gateway_process(log, store_server.url) as process:
        yield process
