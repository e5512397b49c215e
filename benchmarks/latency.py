"""What a job waits for: alone on an idle service, and behind a long one."""

import asyncio
import http.client
import io
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
IN_A_TURN = 5  # of each kind: one by one, each would find the other's data in the processor's caches
LONG_STEPS, LONG_EXAMPLES = 2_000, 2  # 4,000 rows


def alone(*, repeats: int) -> dict[str, Any]:
    """p50 of one Saliency job, from the request to the decoded result, less the time of its row in a bare loop.

    One client with one connection. A picture's result as .npy and as JSON, whose 150,000 numbers take their time to be
    written and read; and a row of the tabular model, whose input and result are small: what is left is the service's
    own. Requests and rows take turns.
    """
    picture = bodies(MODEL, [{"image": image} for image in images()], SALIENCY)
    table = bodies(TABLE, [{"features": table_row()}], SALIENCY)
    with service() as server:
        ceilings = Ceilings()
        for body in (picture, table):
            load_service(server.url, body, clients=1, jobs=8)
        asked = _in_turns(server.url, ceilings, picture, table, repeats)
    row = median(asked["row"])
    timing = {name: median(told[name] or 0 for told in asked["timing"]) for name in asked["timing"][0]}
    return {
        "row_ms": row * 1e3,
        "p50_ms": median(asked["npy"]) * 1e3,
        "overhead_ms": (median(asked["npy"]) - row) * 1e3,
        "json_p50_ms": median(asked["json"]) * 1e3,
        "json_overhead_ms": (median(asked["json"]) - row) * 1e3,
        "table_p50_ms": median(asked["table"]) * 1e3,
        "table_overhead_ms": (median(asked["table"]) - median(asked["table_row"])) * 1e3,
        "timing": timing,
        "repeats": repeats,
    }


def _in_turns(url: str, ceilings: Ceilings, picture: Any, table: Any, repeats: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"npy": [], "json": [], "row": [], "timing": [], "table": [], "table_row": []}
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)

    def ask(body: bytes, media: str) -> bytes:
        connection.request("POST", "/explain?wait=60&answer=result", body, {**HEADERS, "Accept": media})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content.decode())
        return content

    def npy(k: int) -> None:
        np.load(io.BytesIO(ask(picture(k)[1], "application/x-npy")))

    def as_json(k: int) -> None:
        found["timing"].append(orjson.loads(ask(picture(k)[1], "application/json"))["timing"])

    def of_table(k: int) -> None:
        orjson.loads(ask(table(k)[1], "application/json"))

    for turn in range(repeats // IN_A_TURN):
        for name, one in (("npy", npy), ("json", as_json), ("table", of_table)):
            for k in range(IN_A_TURN):
                started = perf_counter()
                one(turn + k)
                found[name].append(perf_counter() - started)
        for _ in range(IN_A_TURN):
            found["row"].append(ceilings.one_row())
            found["table_row"].append(ceilings.one_row(TABLE))
    connection.close()
    return found


def behind_a_long_job(*, repeats: int) -> dict[str, Any]:
    """How many pass times one Saliency takes that is submitted while a job of 4,000 rows runs.

    The row of the long job is a whole pass; its time is taken from the worker's counters over the same seconds.
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
        async with session.post(f"{server.url}/explain", data=orjson.dumps(long), headers=HEADERS) as answer:
            job = orjson.loads(await answer.read())
        while job["progress"]["done"] < 100:
            await asyncio.sleep(0.1)
            async with session.get(server.url + job["links"]["self"]) as answer:
                job = orjson.loads(await answer.read())
        before = server.counters(MODEL)
        seconds = []
        for k in range(repeats):
            started = perf_counter()
            async with session.post(f"{server.url}/explain?wait=60", data=short(k)[1], headers=HEADERS) as answer:
                told = orjson.loads(await answer.read())
            seconds.append(perf_counter() - started)
            _expect(told, "succeeded")
        counted = await asyncio.to_thread(server.counted_since, before, MODEL, repeats)
        async with session.get(server.url + job["links"]["self"]) as answer:
            _expect(orjson.loads(await answer.read()), "running")
        async with session.delete(server.url + job["links"]["self"]):
            pass
    passes = counted["passes_total"]
    return seconds, passes, counted["pass_seconds_total"] / passes


def _expect(job: dict[str, Any], status: str) -> None:
    if job["status"] != status:
        raise RuntimeError(f"a job is {job['status']}, where it should be {status}: {job['error']}")
