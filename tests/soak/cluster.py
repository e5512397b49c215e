"""A whole service of separate processes: one store as in docker-compose.yml, gateways, workers."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from broker import JobStore
from schemas.errors import ServiceError
from tests.paths import ROOT
from tests.servers import free_port, store_binary
from tests.soak.keeper import Death, Keeper
from tests.soak.model_folders import write_models
from tests.soak.place import Place

READY_TIMEOUT_S = 600.0  # on a machine that does much else
POLL_S = 0.1
NAMESPACE = "attribution"
# Signs of a defect in a log. A stack that is logged with a warning counts too.
DEFECTS = ("Traceback (most recent call last)", '"event": "defect"', '"level": "critical"')


class Cluster:
    """The processes. `folder` receives their logs, the models and the store's data.

    The store runs with the repository's `docker/redis.conf`, so its persistence is that of the compose file.

    Args:
        places: of `store`, `gateway-0`, `worker-0` and so on, where it is not this host.
        models: writes the model repository into a directory.
    """

    def __init__(
        self,
        folder: Path,
        *,
        gateways: int,
        workers: int,
        variables: dict[str, str],
        places: Mapping[str, Place] | None = None,
        models: Callable[[Path], object] = write_models,
    ) -> None:
        self.folder = folder
        self._places = places or {}
        self.store_port = free_port()
        self.store_url = f"redis://{self._place('store').address}:{self.store_port}/0"
        models(folder / "models")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")},
            "PYTHONPATH": str(ROOT),
            "ATTRIBUTION_REDIS_URL": self.store_url,
            "ATTRIBUTION_MODELS": str(folder / "models"),
            "ATTRIBUTION_THREADS": "1",
            "ATTRIBUTION_BATCH_ROWS": "32",  # no tuning at each of many restarts
            **variables,
        }
        self.store = self._keeper("store", str(store_binary("valkey")), str(self._store_config()))
        self.urls: list[str] = []
        self.gateways = [self._gateway(f"gateway-{index}") for index in range(gateways)]
        self.workers = [self.worker(f"worker-{index}") for index in range(workers)]

    @property
    def keepers(self) -> list[Keeper]:
        return [self.store, *self.gateways, *self.workers]

    @property
    def deaths(self) -> list[Death]:
        """Every end of a process so far, in order of time."""
        return sorted((death for one in self.keepers for death in one.deaths), key=lambda death: death.at_s)

    @property
    def worker_deaths(self) -> list[Death]:
        return [death for death in self.deaths if death.name.startswith("worker")]

    async def __aenter__(self) -> Self:
        self.store.start()
        await self._until_store_answers()
        for one in (*self.gateways, *self.workers):
            one.start()
        try:
            await self.until_ready()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(one.stop() for one in (*self.gateways, *self.workers)))
        await self.store.stop()

    async def until_ready(self) -> None:
        """Returns when every gateway is ready, every worker that runs now has registered, and no model is being loaded.

        Raises:
            TimeoutError: not within ten minutes.
        """
        async with asyncio.timeout(READY_TIMEOUT_S), httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while not (await self._all_ready(client) and await self._all_registered()):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)

    async def _all_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            answers = [await client.get(f"{url}/readyz") for url in self.urls]
        except httpx.TransportError:
            return False
        return all(answer.status_code == httpx.codes.OK and not answer.json().get("loading") for answer in answers)

    async def _all_registered(self) -> bool:
        store = JobStore(self.store_url)
        try:
            registered = {info.pid for info in await store.workers.live()}
        except ServiceError:
            return False
        finally:
            await store.close()
        return {worker.pid for worker in self.workers} <= registered

    @asynccontextmanager
    async def raw_store(self) -> Any:
        """A client of the store itself, which does not retry."""
        async with redis.asyncio.from_url(
            self.store_url, retry=Retry(NoBackoff(), 0), socket_timeout=5, socket_connect_timeout=5
        ) as client:
            yield client

    async def _until_store_answers(self) -> None:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while True:
                try:
                    async with self.raw_store() as client:
                        await client.ping()
                        return
                except redis.RedisError:
                    await asyncio.sleep(POLL_S)

    def defects(self) -> Iterator[str]:
        """Lines of the logs that tell of a defect, with the name of the process."""
        for one in self.keepers:
            for line in one.log.read_text(errors="replace").splitlines():
                if any(sign in line for sign in DEFECTS):
                    yield f"{one.name}: {line[:2000]}"

    def _store_config(self) -> Path:
        data = self.folder / "data"
        data.mkdir()
        config = self.folder / "store.conf"
        shipped = (ROOT / "docker" / "redis.conf").read_text().splitlines()
        address = self._place("store").address
        own = [f'dir "{data}"', f"port {self.store_port}", f"bind {address}", "protected-mode no"]
        config.write_text("\n".join([*(line for line in shipped if not line.startswith("dir ")), *own, ""]))
        return config

    def _gateway(self, name: str) -> Keeper:
        address, port = self._place(name).address, free_port()
        self.urls.append(f"http://{address}:{port}")
        return self._cli(name, "gateway", "--host", address, "--port", str(port))

    def worker(self, name: str) -> Keeper:
        """Of a worker of that name, which does not run yet."""
        return self._cli(name, "worker")

    def _cli(self, name: str, *arguments: str) -> Keeper:
        return self._keeper(name, sys.executable, "-P", "-m", "cli", *arguments)

    def _keeper(self, name: str, *command: str) -> Keeper:
        return Keeper(name, (*self._place(name).prefix, *command), self.folder / f"{name}.log", self._environment)

    def _place(self, name: str) -> Place:
        return self._places.get(name, Place())
