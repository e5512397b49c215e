"""A picture that alone takes more memory than all pictures may is refused before it is decoded; the bound is named."""

import base64
import io

import pytest
from PIL import Image

from broker import JobStore
from tests.service.conftest import SETTINGS, client_of
from tests.service.validation.refusals import picture

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("idle_worker")
async def test_the_bound_is_named(store: JobStore) -> None:
    file = io.BytesIO()
    Image.new("RGB", (5000, 4000)).save(file, "JPEG")
    body = picture(input={"image": base64.b64encode(file.getvalue()).decode()})
    for allowed_mib, status in ((64, 422), (128, 202)):
        settings = SETTINGS.model_copy(update={"decode_bytes": allowed_mib * 1024 * 1024})
        async with client_of(store, settings) as client:
            answer = await client.post("/explain", json=body)
        assert answer.status_code == status, answer.text
        if status == 422:
            (error,) = answer.json()["errors"]
            assert error["loc"] == ["input", "image"]
            assert "ATTRIBUTION_DECODE_BYTES allows 92.0MiB" in error["msg"]
