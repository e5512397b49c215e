"""A real Prometheus that scrapes gateways every second, with the project's own rules."""

import asyncio
import math
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from tests.paths import ROOT
from tests.servers import free_port

RULES = ROOT / "docker" / "prometheus" / "rules" / "attribution.yml"
READY_TIMEOUT_S = 60.0
POLL_S = 0.5
SCRAPE = "1s"


def installed_prometheus() -> str:
    found = shutil.which("prometheus")
    assert found, "Prometheus is not installed: run `make system`"
    return found


class Prometheus:
    """One server process with its data in `folder`. `urls` are those of the gateways."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        folder.mkdir()
        self.folder = folder
        port = free_port()
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        targets = [url.removeprefix("http://") for url in urls]
        config = {
            "global": {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "attribution", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._command = [
            installed_prometheus(),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with (self.folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdout=log, stderr=log)
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not await self._is_ready():  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def get(self, path: str, **parameters: str) -> Any:
        """The data of an API call. Fails where Prometheus does not accept it."""
        response = await self._client.get(f"/api/v1/{path}", params=parameters)
        answer = response.json()
        assert answer["status"] == "success", (path, parameters, answer)
        return answer["data"]

    async def values(self, query: str) -> list[float]:
        """The values of a query now, without those that are no number."""
        found = (float(one["value"][1]) for one in (await self.get("query", query=query))["result"])
        return [value for value in found if not math.isnan(value)]

    async def number(self, query: str) -> float:
        """The single value of a query; 0 where there is none."""
        found = await self.values(query)
        assert len(found) <= 1, query
        return found[0] if found else 0.0

    async def _is_ready(self) -> bool:
        try:
            return (await self._client.get("/-/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
