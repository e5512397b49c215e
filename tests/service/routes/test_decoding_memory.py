"""Small files of 40 million pixels, sent at once: the peak memory of a real gateway, and that each gets an answer."""

import base64
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.servers import StoreServer, free_port
from tests.service.double import WorkerDouble

SIDE = 6320  # 39.9 million pixels
AT_ONCE = 20
ALLOWED_RISE_KIB = 300 * 1024
HANGS_S = 120


@pytest.fixture
def gateway(store_server: StoreServer, namespace: str) -> Iterator[tuple[str, int]]:
    """A gateway process with the default settings: its address and its process id."""
    port = free_port()
    settings = {"ATTRIBUTION_REDIS_URL": store_server.url, "ATTRIBUTION_NAMESPACE": namespace, "ATTRIBUTION_CACHE": "0"}
    command = [sys.executable, "-m", "cli", "gateway", "--port", str(port)]
    worker = WorkerDouble(store_server.url, namespace)
    worker.start()
    process = subprocess.Popen(command, env={**os.environ, **settings})
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(transport=httpx.HTTPTransport(retries=12)) as client:  # retries back off until it listens
        client.get(f"{url}/healthz")
    yield url, process.pid
    process.terminate()
    process.wait(HANGS_S)
    worker.stop()


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def webp() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (SIDE, SIDE), (200, 10, 10, 128)).save(file, "WEBP", lossless=True)
    return file.getvalue()


def animation() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGBA", (SIDE, SIDE), (200, shade, 10, 128)) for shade in (0, 90)]
    frames[0].save(file, "WEBP", lossless=True, method=0, save_all=True, append_images=frames[1:])
    return file.getvalue()


def png(mode: str, **options: object) -> bytes:
    picture = Image.new(mode, (SIDE, SIDE), None if mode == "P" else 0)
    if mode == "P":
        picture.putpalette([7] * 768)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1, **options)
    return file.getvalue()


def cmyk() -> bytes:
    file = io.BytesIO()
    Image.new("CMYK", (SIDE, SIDE)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("kind", ["webp", "mixed"])
def test_twenty_large_pictures_at_once(gateway: tuple[str, int], kind: str) -> None:
    url, pid = gateway
    files = [webp()]
    if kind == "mixed":
        files = [animation(), png("P", transparency=bytes([255, 0])), png("I;16"), png("LA"), cmyk()]
    bodies = [
        {
            "model": "efficientnet-lite0",
            "input": {"image": base64.b64encode(files[index % len(files)]).decode()},
            "method": "saliency",
            "seed": index,
        }
        for index in range(AT_ONCE)
    ]
    before = peak_kib(pid)

    def send(body: dict[str, object]) -> httpx.Response:
        return httpx.post(f"{url}/explain", json=body, timeout=HANGS_S)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, bodies))
    rise = peak_kib(pid) - before
    assert [answer.status_code for answer in answers] == [202] * AT_ONCE
    assert rise <= ALLOWED_RISE_KIB
