"""A closed loop of clients: each sends its next request when the last result has been decoded."""

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
Requests = Callable[[int], tuple[str, bytes]]  # the k-th: its method, and its body
TIMEOUT = aiohttp.ClientTimeout(total=1_200)
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}  # every job is computed


@dataclass(slots=True)
class Done:
    """What a round of load came to: (method, result's timing) of each job; seconds from first byte to last decode."""

    seconds: float = 0.0
    jobs: list[tuple[str, Body]] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.jobs) / self.seconds


def images(number: int = 8) -> list[str]:
    """Different pictures, as base64 of JPEG."""
    encoded = []
    for _, picture in pictures(number):
        stream = io.BytesIO()
        picture.resize((320, 320)).save(stream, "JPEG", quality=90)
        encoded.append(base64.b64encode(stream.getvalue()).decode())
    return encoded


def table_row() -> Body:
    row: Body = json.loads((ROOT / "models" / "breast-cancer-mlp" / "sample.json").read_text())
    return row


def bodies(model: str, inputs: list[Body], *methods: Body) -> Requests:
    """The k-th request: methods take turns, and so do inputs, out of step with them."""

    def body(k: int) -> tuple[str, bytes]:
        method = methods[k % len(methods)]
        given = inputs[(k // len(methods) + k) % len(inputs)]
        return method["name"], orjson.dumps({"model": model, "input": given, "method": method})

    return body


async def _service_job(session: aiohttp.ClientSession, url: str, body: bytes) -> Body:
    """One explanation and its result, decoded; the result's timing."""
    async with session.post(f"{url}/explain?wait=60&answer=result", data=body, headers=HEADERS) as answer:
        document: Body = orjson.loads(await answer.read())
        location = answer.headers.get("Location")
    if location is None:
        raise RuntimeError(f"the service refuses a job: {document}")
    while answer.status == 202:  # it has not ended within the wait
        async with session.get(f"{url}{location}/events") as events:  # ends with the job
            await events.read()
        async with session.get(f"{url}{location}/result") as answer:
            document = orjson.loads(await answer.read())
    if answer.status != 200:
        raise RuntimeError(f"a job has no result: {document}")
    timing: Body = document["timing"]
    return timing


async def _handler_job(session: aiohttp.ClientSession, url: str, body: bytes) -> Body:
    async with session.post(url, data=body, headers=HEADERS) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())
        orjson.loads(await answer.read())
    return {}


async def _run(url: str, body: Requests, clients: int, jobs: int, ask: Any) -> Done:
    done = Done()
    numbers: Iterator[int] = count()

    async def client(session: aiohttp.ClientSession) -> None:
        while (k := next(numbers)) < jobs:
            name, content = body(k)
            done.jobs.append((name, await ask(session, url, content)))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
        started = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        done.seconds = perf_counter() - started
    return done


def load_service(url: str, body: Requests, *, clients: int, jobs: int) -> Done:
    """So many jobs of the service, results included, from so many clients at once."""
    return asyncio.run(_run(url, body, clients, jobs, _service_job))


def load_handler(url: str, body: Requests, *, clients: int, jobs: int) -> Done:
    """The same of the plain handler; `url` with its path."""
    return asyncio.run(_run(url, body, clients, jobs, _handler_job))
