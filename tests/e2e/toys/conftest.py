"""One running service with toy models for all tests of this folder."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.toys.captum_repository import write_captum_repository
from tests.e2e.toys.output_repository import write_output_repository

LIMIT_S = 60.0


@pytest.fixture(scope="package")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service that has only toy models: Captum's own, and some with other kinds of outputs."""
    folder = tmp_path_factory.mktemp("toys")
    models = write_output_repository(write_captum_repository(folder / "models"))
    service = RunningService(folder / "log", "--models", str(models), standby=False)
    try:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, timeout=LIMIT_S) as client:
            yield client
    finally:
        service.stop()
