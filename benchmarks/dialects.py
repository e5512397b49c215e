"""Jobs a second through each dialect, relative to `POST /explain` with the same inputs, method and encoding (JSON)."""

import asyncio
import base64
import os
from collections.abc import Callable
from itertools import count
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import aiohttp
import httpx
import orjson

from benchmarks.ceiling import MODEL, TABLE
from benchmarks.load import HEADERS, TIMEOUT, images, table_row
from benchmarks.processes import Server, service

CLIENTS = 8
OWN = "explain"
VERTEX = "/v1/projects/p/locations/l/endpoints"


class Turn(NamedTuple):
    """What one turn of one call measured."""

    jobs_per_s: float
    jobs_per_cpu_s: float


class Form(NamedTuple):
    """A form: the example, as the file of a picture or as JSON, and the other fields."""

    data: bytes
    fields: dict[str, str]


class Call(NamedTuple):
    """A path of the service, and for each input the body: an object for JSON, or a form."""

    path: str
    body: Callable[[Any], dict[str, Any] | Form]


def encoded(body: dict[str, Any] | Form) -> tuple[bytes, dict[str, str]]:
    """The content of a request, and its headers."""
    if isinstance(body, dict):
        return orjson.dumps(body), HEADERS
    form = httpx.Request("POST", "http://form", data=body.fields, files={"data": body.data})
    return form.read(), {**HEADERS, "Content-Type": form.headers["Content-Type"]}


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
        "TorchServe": Call(f"/explanations/{MODEL}", lambda image: Form(base64.b64decode(image), method)),
    }


def calls_of_rows() -> dict[str, Call]:
    """Integrated Gradients of a row of the table with 50 steps, which all dialects can say."""
    options = {"method": "integrated_gradients", "n_steps": 50, "target": 1}
    fields = {name: str(value) for name, value in options.items()}
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
        "TorchServe": Call(f"/explanations/{TABLE}", lambda row: Form(orjson.dumps(row), fields)),
        "Vertex": Call(
            f"{VERTEX}/{TABLE}:explain", lambda row: {"instances": [row], "explanationSpecOverride": override}
        ),
    }


def measure(*, rounds: int, pictures: int, rows: int) -> dict[str, Any]:
    """Medians over rounds in which `/explain` and all dialects take turns, so that they share what the machine does.

    The order rotates from round to round: what changes during a round helps each as often as it hurts it. CPU seconds
    of the service's processes are compared too, because they depend little on what else the machine does.
    `pictures` and `rows` are the requests of each in a round.
    """
    row = table_row()
    inputs: dict[str, list[Any]] = {"picture": images(), "row": [{**row, next(iter(row)): float(k)} for k in range(8)]}
    kinds = {"picture": (calls_of_pictures(), pictures), "row": (calls_of_rows(), rows)}
    found: dict[str, dict[str, list[Turn]]] = {kind: {name: [] for name in calls} for kind, (calls, _) in kinds.items()}
    load_average = os.getloadavg()[0]
    with service() as server:
        for turn in range(rounds + 1):
            for kind, (calls, jobs) in kinds.items():
                names = list(calls)
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    one = _turn(server, calls[name], inputs[kind], jobs if turn else CLIENTS)
                    if turn:  # the first round only warms up
                        found[kind][name].append(one)
    ratios, cpu_ratios = _ratios(found, "jobs_per_s"), _ratios(found, "jobs_per_cpu_s")
    return {
        "jobs_per_s": {
            kind: {name: median(t.jobs_per_s for t in turns) for name, turns in by.items()}
            for kind, by in found.items()
        },
        "ratios": ratios,
        "cpu_ratios": cpu_ratios,
        "slowest": min(ratio for by_name in ratios.values() for ratio in by_name.values()),
        "rounds": rounds,
        "load_average": load_average,
    }


def _turn(server: Server, call: Call, inputs: list[Any], jobs: int) -> Turn:
    before = sum(server.cpu_s().values())
    rate = asyncio.run(_rate(server.url, call, inputs, jobs))
    return Turn(rate, jobs / (sum(server.cpu_s().values()) - before))


def _ratios(found: dict[str, dict[str, list[Turn]]], measure: str) -> dict[str, dict[str, float]]:
    """Each dialect's measure, divided by that of `/explain` in the same round: medians over rounds."""
    return {
        kind: {
            name: median(
                getattr(one, measure) / getattr(own, measure) for one, own in zip(turns, by_name[OWN], strict=True)
            )
            for name, turns in by_name.items()
            if name != OWN
        }
        for kind, by_name in found.items()
    }


def lines(part: dict[str, Any]) -> list[str]:
    """The ratios of each dialect, in Markdown."""
    by_kind: dict[str, dict[str, float]] = part["ratios"]
    names = list(dict.fromkeys(name for ratios in by_kind.values() for name in ratios))
    columns = [(key, kind) for kind in ("picture", "row") for key in ("ratios", "cpu_ratios")]
    rows = [
        [f"{part[key][kind][name]:.2f}" if name in part[key][kind] else "" for key, kind in columns] for name in names
    ]
    return [
        "Jobs a second, and jobs for each CPU second of the service, through each dialect, over those of `/explain`",
        f"in the same round: medians of {part['rounds']} rounds, {CLIENTS} clients. Pictures: Saliency. Rows:",
        f"Integrated Gradients of 50 steps. Before it the machine had a load average of {part['load_average']:.1f}.",
        "",
        "| dialect | pictures: jobs/s | pictures: jobs/CPU s | rows: jobs/s | rows: jobs/CPU s |",
        "|---|---|---|---|---|",
        *[f"| {name} | {' | '.join(row)} |" for name, row in zip(names, rows, strict=True)],
        "",
    ]


async def _rate(url: str, call: Call, inputs: list[Any], jobs: int) -> float:
    numbers = count()
    contents = [encoded(call.body(one)) for one in inputs]

    async def client(session: aiohttp.ClientSession) -> None:
        while (k := next(numbers)) < jobs:
            data, headers = contents[k % len(contents)]
            async with session.post(f"{url}{call.path}", data=data, headers=headers) as response:
                content = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{call.path}: {content[:500].decode(errors='replace')}")
                orjson.loads(content)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=TIMEOUT) as session:
        started = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
        return jobs / (perf_counter() - started)
