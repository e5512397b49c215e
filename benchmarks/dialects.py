"""Jobs a second through each dialect, relative to `POST /explain` with the same inputs, method and encoding (JSON)."""

import asyncio
from collections.abc import Callable
from itertools import count
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import aiohttp
import orjson

from benchmarks.ceiling import MODEL, TABLE
from benchmarks.load import HEADERS, TIMEOUT, images, table_row
from benchmarks.processes import service

CLIENTS = 8
OWN = "explain"
VERTEX = "/v1/projects/p/locations/l/endpoints"


class Call(NamedTuple):
    """A path of the service, and the body for each input."""

    path: str
    body: Callable[[Any], dict[str, Any]]


def calls_of_pictures() -> dict[str, Call]:
    """Saliency of a picture, given as base64."""
    method = {"method": "saliency"}

    def bytes_tensor(image: str) -> dict[str, Any]:
        return {"inputs": [{"name": "p", "datatype": "BYTES", "shape": [1], "data": [image]}], "parameters": method}

    return {
        OWN: Call(
            "/explain?wait=60&answer=result",
            lambda image: {"model": MODEL, "input": {"image": image}, "method": "saliency"},
        ),
        "KServe v1": Call(f"/v1/models/{MODEL}:explain", lambda image: {"instances": [image], "parameters": method}),
        "Open Inference, infer": Call(f"/v2/models/{MODEL}/infer", bytes_tensor),
        "Open Inference, explain": Call(f"/v2/models/{MODEL}/explain", bytes_tensor),
        "TorchServe": Call(f"/explanations/{MODEL}", lambda image: {"data": image, **method}),
    }


def calls_of_rows() -> dict[str, Call]:
    """Integrated Gradients of a row of the table with 50 steps, which all dialects can say."""
    options = {"method": "integrated_gradients", "n_steps": 50, "target": 1}
    override = {"parameters": {"outputIndices": [1], "integratedGradientsAttribution": {"stepCount": 50}}}

    def tensor(row: dict[str, float]) -> dict[str, Any]:
        values = list(row.values())
        return {
            "inputs": [{"name": "r", "datatype": "FP64", "shape": [1, len(values)], "data": values}],
            "parameters": options,
        }

    return {
        OWN: Call(
            "/explain?wait=60&answer=result",
            lambda row: {
                "model": TABLE,
                "input": {"features": row},
                "method": {"name": "integrated_gradients", "n_steps": 50},
                "target": 1,
            },
        ),
        "KServe v1": Call(f"/v1/models/{TABLE}:explain", lambda row: {"instances": [row], "parameters": options}),
        "Open Inference, infer": Call(f"/v2/models/{TABLE}/infer", tensor),
        "Open Inference, explain": Call(f"/v2/models/{TABLE}/explain", tensor),
        "TorchServe": Call(f"/explanations/{TABLE}", lambda row: {"data": row, **options}),
        "Vertex": Call(
            f"{VERTEX}/{TABLE}:explain", lambda row: {"instances": [row], "explanationSpecOverride": override}
        ),
    }


def measure(*, rounds: int, pictures: int, rows: int) -> dict[str, Any]:
    """Medians over rounds in which `/explain` and all dialects take turns, so that they share what the machine does.

    `pictures` and `rows` are the requests of each in a round.
    """
    row = table_row()
    inputs: dict[str, list[Any]] = {"picture": images(), "row": [{**row, next(iter(row)): float(k)} for k in range(8)]}
    kinds = {"picture": (calls_of_pictures(), pictures), "row": (calls_of_rows(), rows)}
    found: dict[str, dict[str, list[float]]] = {
        kind: {name: [] for name in calls} for kind, (calls, _) in kinds.items()
    }
    with service() as server:
        for turn in range(rounds + 1):
            for kind, (calls, jobs) in kinds.items():
                for name, call in calls.items():
                    rate = asyncio.run(_rate(server.url, call, inputs[kind], jobs if turn else CLIENTS))
                    if turn:  # the first round only warms up
                        found[kind][name].append(rate)
    ratios = {
        kind: {
            name: median(rate / own for rate, own in zip(rates, by_name[OWN], strict=True))
            for name, rates in by_name.items()
            if name != OWN
        }
        for kind, by_name in found.items()
    }
    return {
        "jobs_per_s": {kind: {name: median(rates) for name, rates in by.items()} for kind, by in found.items()},
        "ratios": ratios,
        "slowest": min(ratio for by_name in ratios.values() for ratio in by_name.values()),
        "rounds": rounds,
    }


async def _rate(url: str, call: Call, inputs: list[Any], jobs: int) -> float:
    numbers = count()
    contents = [orjson.dumps(call.body(one)) for one in inputs]

    async def client(session: aiohttp.ClientSession) -> None:
        while (k := next(numbers)) < jobs:
            async with session.post(f"{url}{call.path}", data=contents[k % len(contents)], headers=HEADERS) as response:
                content = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{call.path}: {content[:500].decode(errors='replace')}")
                orjson.loads(content)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=TIMEOUT) as session:
        started = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
        return jobs / (perf_counter() - started)
