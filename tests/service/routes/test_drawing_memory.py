"""Twenty large drawings asked for at once: the peak memory of a real gateway, and that each gets an answer."""

import io
from functools import partial

import numpy as np
from PIL import Image

from tests.service.routes.measured import MeasuredGateway, at_once

AT_ONCE = 20
DIFFERENT = 4
ALLOWED_RISE_KIB = 300 * 1024


def test_twenty_of_the_largest_drawings_at_once(measured_gateway: MeasuredGateway) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    job = measured_gateway.explain(file.getvalue(), wait_s=30).json()
    assert job["status"] == "succeeded"
    before = measured_gateway.peak_kib()
    overlay = partial(measured_gateway.get, f"/jobs/{job['id']}/overlay.png", size=4096, smooth=0)
    calls = [partial(overlay, alpha=(1 + number % DIFFERENT) / DIFFERENT) for number in range(AT_ONCE)]
    answers = at_once(calls)
    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    assert len({answer.content for answer in answers}) == DIFFERENT
    assert measured_gateway.peak_kib() - before <= ALLOWED_RISE_KIB
