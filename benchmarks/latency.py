"""Latency of one job: alone on an idle service, and behind a long job."""

import asyncio
import http.client
import io
from base64 import b64decode
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import orjson

from benchmarks.ceiling import MODEL, TABLE, Ceilings
from benchmarks.load import HEADERS, TIMEOUT, bodies, images, load_service, table_row
from benchmarks.processes import service

SALIENCY = {"name": "saliency"}
PER_TURN = 5  # requests of each kind; turns of one would leave the other kind's data in the processor's caches
LONG_STEPS, LONG_EXAMPLES = 2_000, 2  # 4,000 rows


def alone(*, repeats: int) -> dict[str, Any]:
    """The median time of one Saliency job, from the request to the decoded result, and its overhead over a bare loop.

    One client uses one connection. It requests a picture's result as .npy, as JSON with the attributions in base64 and
    as JSON with 150,000 numbers, which take time to write and read, and a row of the tabular model. The input and
    result of that row are small, so its overhead is the service's own. Requests and bare rows take turns.
    """
    picture = bodies(MODEL, [{"image": image} for image in images()], SALIENCY)
    table = bodies(TABLE, [{"features": table_row()}], SALIENCY)
    with service() as server:
        ceilings = Ceilings()
        for body in (picture, table):
            load_service(server.url, body, clients=1, jobs=8)
        times = _in_turns(server.url, ceilings, picture, table, repeats)
    row = median(times["row"])
    timing = {name: median(timing[name] or 0 for timing in times["timing"]) for name in times["timing"][0]}
    return {
        "row_ms": row * 1e3,
        "p50_ms": median(times["npy"]) * 1e3,
        "overhead_ms": (median(times["npy"]) - row) * 1e3,
        "base64_p50_ms": median(times["base64"]) * 1e3,
        "base64_beside_npy_ms": (median(times["base64"]) - median(times["npy"])) * 1e3,
        "json_p50_ms": median(times["json"]) * 1e3,
        "json_overhead_ms": (median(times["json"]) - row) * 1e3,
        "table_p50_ms": median(times["table"]) * 1e3,
        "table_overhead_ms": (median(times["table"]) - median(times["table_row"])) * 1e3,
        "timing": timing,
        "repeats": repeats,
    }


def _in_turns(url: str, ceilings: Ceilings, picture: Any, table: Any, repeats: int) -> dict[str, list[Any]]:
    kinds = ("npy", "base64", "json", "table")
    times: dict[str, list[Any]] = {name: [] for name in (*kinds, "row", "timing", "table_row")}
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)

    def send(body: bytes, media: str, options: str = "") -> bytes:
        connection.request("POST", f"/explain?wait=60&answer=result{options}", body, {**HEADERS, "Accept": media})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(content.decode())
        return content

    def npy(k: int) -> None:
        np.load(io.BytesIO(send(picture(k)[1], "application/x-npy")))

    def base64(k: int) -> None:
        (tensor,) = orjson.loads(send(picture(k)[1], "application/json", "&encoding=base64"))["attributions"]
        np.frombuffer(b64decode(tensor["data"]), np.float32).reshape(tensor["shape"])

    def as_json(k: int) -> None:
        times["timing"].append(orjson.loads(send(picture(k)[1], "application/json"))["timing"])

    def table_json(k: int) -> None:
        orjson.loads(send(table(k)[1], "application/json"))

    for turn in range(repeats // PER_TURN):
        for name, run in zip(kinds, (npy, base64, as_json, table_json), strict=True):
            for k in range(PER_TURN):
                started = perf_counter()
                run(turn + k)
                times[name].append(perf_counter() - started)
        for _ in range(PER_TURN):
            times["row"].append(ceilings.one_row())
            times["table_row"].append(ceilings.one_row(TABLE))
    connection.close()
    return times


def behind_a_long_job(*, repeats: int) -> dict[str, Any]:
    """The time of a Saliency job that is submitted while a job of 4,000 rows runs, in pass times.

    The pass time is the mean over the same seconds, from the worker's counters.
    """
    inputs = [{"image": image} for image in images()]
    short = bodies(MODEL, inputs, SALIENCY)
    with service() as server:
        load_service(server.url, short, clients=1, jobs=8)
        seconds, passes, pass_s = asyncio.run(_behind(server, short, repeats))
    return {
        "pass_ms": pass_s * 1e3,
        "saliency_ms": [1e3 * s for s in seconds],
        "pass_times": [s / pass_s for s in seconds],
        "median": median(s / pass_s for s in seconds),
        "worst": max(s / pass_s for s in seconds),
        "passes": passes,
    }


async def _behind(server: Any, short: Any, repeats: int) -> tuple[list[float], float, float]:
    long = {
        "model": MODEL,
        "input": {
            "tensor": {
                "shape": [LONG_EXAMPLES, 3, 224, 224],
                "data": [((k * 7919) % 1000) / 500 - 1 for k in range(LONG_EXAMPLES * 3 * 224 * 224)],
            }
        },
        "method": {"name": "integrated_gradients", "n_steps": LONG_STEPS},
    }
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        async with session.post(f"{server.url}/explain", data=orjson.dumps(long), headers=HEADERS) as response:
            job = orjson.loads(await response.read())
        while job["progress"]["done"] < 100:
            await asyncio.sleep(0.1)
            async with session.get(server.url + job["links"]["self"]) as response:
                job = orjson.loads(await response.read())
        before = server.counters(MODEL)
        seconds = []
        for k in range(repeats):
            started = perf_counter()
            async with session.post(f"{server.url}/explain?wait=60", data=short(k)[1], headers=HEADERS) as response:
                finished = orjson.loads(await response.read())
            seconds.append(perf_counter() - started)
            _expect(finished, "succeeded")
        counted = await asyncio.to_thread(server.counted_since, before, MODEL, repeats)
        async with session.get(server.url + job["links"]["self"]) as response:
            _expect(orjson.loads(await response.read()), "running")
        async with session.delete(server.url + job["links"]["self"]):
            pass
    passes = counted["passes_total"]
    return seconds, passes, counted["pass_seconds_total"] / passes


def _expect(job: dict[str, Any], status: str) -> None:
    if job["status"] != status:
        raise RuntimeError(f"a job is {job['status']} instead of {status}: {job['error']}")
