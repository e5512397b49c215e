"""An overlay shows the input too: one of wrong content is no picture, and no fault of the gateway."""

from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np
import pytest
import redis
from numpy.typing import NDArray
from safetensors.numpy import save

from schemas.errors import JobHasNoResult
from tests.servers import StoreServer
from tests.service.conftest import finished
from tests.service.validation.refusals import picture, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]

PIXELS = np.zeros((16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("body", "content"),
    [
        *((picture(), {"pixels": pixels}) for pixels in (PIXELS[0], PIXELS[..., :2], PIXELS[:0], PIXELS * 1.5)),
        (picture(), {"text": PIXELS}),
        (picture(), {}),
        (text(), {"text": np.frombuffer(b"\xff\xfe\xfd", np.uint8)}),
        (text(), {"text": np.ones(3, np.float32)}),
        (text(), {"txt": np.ones(3, np.uint8)}),
        (text(), {}),
    ],
)
async def test_an_overlay_of_a_damaged_input_is_refused(
    client: httpx.AsyncClient,
    store_server: StoreServer,
    namespace: str,
    body: Mapping[str, Any],
    content: Mapping[str, NDArray[Any]],
) -> None:
    job_id = await finished(client, dict(body))
    with redis.Redis.from_url(store_server.url) as database:
        key = f"{namespace}:payload:{job_id}"
        assert database.exists(key)
        database.set(key, save({name: np.ascontiguousarray(array) for name, array in content.items()}), keepttl=True)
    answer = await client.get(f"/jobs/{job_id}/overlay.png")
    assert answer.status_code == JobHasNoResult("").status, answer.text
    assert "unreadable" in answer.text
    assert (await client.get(f"/jobs/{job_id}/result")).status_code == 200
