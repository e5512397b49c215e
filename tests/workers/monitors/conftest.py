"""Results for monitors to count."""

import pytest

from broker import WorkerQueue
from tests.workers.monitors.streams import Feeder


@pytest.fixture
def feeder(queue: WorkerQueue) -> Feeder:
    return Feeder(queue)
