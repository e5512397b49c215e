"""Load from a closed loop of clients: each sends its next request after decoding its last result."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import orjson

from benchmarks.pictures import pictures

ROOT = Path(__file__).parents[1]
Body = dict[str, Any]
Requests = Callable[[int], tuple[str, bytes]]  # k -> method name and body of the k-th request
TIMEOUT = aiohttp.ClientTimeout(total=1_200)
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}  # every job is computed


@dataclass(slots=True)
class Done:
    """One round of load.

    Attributes:
        seconds: from the first byte sent to the last result decoded.
        jobs: the method name and the result's timing of each job.
    """

    seconds: float = 0.0
    jobs: list[tuple[str, Body]] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.jobs) / self.seconds


def images(number: int = 8) -> list[str]:
    """`number` different pictures, as base64 of JPEG files of 320 x 320 pixels."""
    encoded = []
    for _, picture in pictures(number):
        stream = io.BytesIO()
        picture.resize((320, 320)).save(stream, "JPEG", quality=90)
        encoded.append(base64.b64encode(stream.getvalue()).decode())
    return encoded


def table_row() -> Body:
    """The sample row of the tabular model."""
    row: Body = json.loads((ROOT / "models" / "breast-cancer-mlp" / "sample.json").read_text())
    return row


def bodies(model: str, inputs: list[Body], *methods: Body) -> Requests:
    """Requests that go through the methods in turn, and through the inputs in turn, so that all pairs occur."""

    def body(k: int) -> tuple[str, bytes]:
        method = methods[k % len(methods)]
        input_ = inputs[(k // len(methods) + k) % len(inputs)]
        return method["name"], orjson.dumps({"model": model, "input": input_, "method": method})

    return body


async def _service_job(session: aiohttp.ClientSession, url: str, body: bytes) -> Body:
    """Runs one job of the service and decodes its result. Returns the result's timing."""
    async with session.post(f"{url}/explain?wait=60&answer=result", data=body, headers=HEADERS) as response:
        document: Body = orjson.loads(await response.read())
        location = response.headers.get("Location")
    if location is None:
        raise RuntimeError(f"the service refused a request: {document}")
    while response.status == 202:  # the job took longer than the wait
        async with session.get(f"{url}{location}/events") as events:  # ends with the job
            await events.read()
        async with session.get(f"{url}{location}/result") as response:
            document = orjson.loads(await response.read())
    if response.status != 200:
        raise RuntimeError(f"a job has no result: {document}")
    timing: Body = document["timing"]
    return timing


async def _handler_job(session: aiohttp.ClientSession, url: str, body: bytes) -> Body:
    """Sends one request to the plain handler and decodes its result, which has no timing."""
    async with session.post(url, data=body, headers=HEADERS) as response:
        if response.status != 200:
            raise RuntimeError(await response.text())
        orjson.loads(await response.read())
    return {}


async def _run(url: str, body: Requests, clients: int, jobs: int, run_job: Any) -> Done:
    done = Done()
    numbers: Iterator[int] = count()

    async def client(session: aiohttp.ClientSession) -> None:
        while (k := next(numbers)) < jobs:
            name, content = body(k)
            done.jobs.append((name, await run_job(session, url, content)))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        started = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        done.seconds = perf_counter() - started
    return done


def load_service(url: str, body: Requests, *, clients: int, jobs: int) -> Done:
    """Runs `jobs` jobs of the service from `clients` concurrent clients, and decodes every result."""
    return asyncio.run(_run(url, body, clients, jobs, _service_job))


def load_handler(url: str, body: Requests, *, clients: int, jobs: int) -> Done:
    """Runs `jobs` requests of the plain handler in the same way. `url` includes the path."""
    return asyncio.run(_run(url, body, clients, jobs, _handler_job))
