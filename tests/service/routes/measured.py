"""The memory of a gateway process, and many requests to it at once."""

import base64
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

HANGS_S = 120


@dataclass(frozen=True, slots=True)
class MeasuredGateway:
    """The address of a gateway, and the id of its process."""

    url: str
    pid: int

    def peak_kib(self) -> int:
        """The most memory that the process has had."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1])

    def explain(self, file: bytes, seed: int = 0, wait_s: int = 0) -> httpx.Response:
        """Ask for saliency of a picture."""
        body = {
            "model": "efficientnet-lite0",
            "input": {"image": base64.b64encode(file).decode()},
            "method": "saliency",
            "seed": seed,
        }
        return httpx.post(f"{self.url}/explain", params={"wait": wait_s}, json=body, timeout=HANGS_S)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", params=parameters, timeout=HANGS_S)


def at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """The responses to calls that begin together."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))
