"""A pool that holds one small model, and both sides of a job store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.jobs.net import ENTERED, KEY, OPEN, write_net
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.models.pool import ModelPool
from workers.models.resident import Device, ResidentModel

BATCH_ROWS = 16


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelPool]:
    directory: Path = tmp_path_factory.mktemp("models")
    write_net(directory)
    pool = ModelPool([directory], Device(CPU, 1, BATCH_ROWS, DeviceGate()))
    pool.start()
    yield pool
    OPEN.set()
    pool.stop()


@pytest.fixture
def model(pool: ModelPool) -> ResidentModel:
    ENTERED.clear()
    OPEN.clear()
    return pool.resident()[KEY]
