from collections.abc import Iterator

import pytest

from tests.workers.evaluation.evaluated import MODELS
from tests.workers.toys import view_of
from workers.engine.engine import Engine


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """One engine per model, with a batch so small that jobs are cut and mixed."""
    running = {
        name: Engine(view_of(model, len(shapes)), batch_rows=16, threads=1).start()
        for name, (model, shapes, _) in MODELS.items()
    }
    yield running
    for engine in running.values():
        engine.stop()
