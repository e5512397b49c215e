"""`make bench ONLY=store`: what one job store can do, by the scripts that gateways and workers run on it.

A gateway's side submits jobs, waits for each and reads its result. A worker's side, a process of its own, claims and
finishes them with bytes of the right size; no model runs. A store executes commands in one thread, so the CPU time that
it takes for a job tells how many jobs a second fill that thread, on a machine where its clients have other cores.
"""

import asyncio
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from multiprocessing.synchronize import Event
from statistics import median
from subprocess import Popen
from time import perf_counter
from typing import Any, NamedTuple

import psutil
import redis

from broker import JobStore, WorkerQueue
from broker.records import FinishedJob, NewJob
from cli.processes.die_with_parent import COMMAND as DIE_WITH_PARENT
from cli.processes.embedded import EmbeddedStore
from schemas.jobs import JobSpec
from schemas.model_key import ModelKey

MODEL = ModelKey("bench", "1")
CLIENTS = 64
CLAIMED = 64  # at most, at a time
META_BYTES = 2_048  # of a result's JSON: target, timing, provenance
RESULT_TTL_S = 10  # or the results of all rounds fill the store
BLOCK_MS = 200
SPEC = JobSpec(
    model=MODEL.name,
    version=MODEL.version,
    input_kind="tensor",
    examples=1,
    method={"name": "integrated_gradients", "n_steps": 50, "baseline": "zero"},
    rows=52,
)


class Size(NamedTuple):
    """Bytes of a job's input and of its attributions, and the jobs of a round."""

    input_bytes: int
    result_bytes: int
    jobs: int


SIZES = {
    "table": Size(1_024, 1_024, 2_000),  # a row of a hundred numbers
    "text": Size(1_024, 16_384, 2_000),
    "picture": Size(60_000, 602_112, 400),  # a JPEG file; 3 x 224 x 224 float32
}
PERSISTENCE = {"memory": "no", "append-only file": "yes"}  # the latter as in docker/redis.conf: written once a second


def measure(*, rounds: int, scale: float = 1.0) -> dict[str, Any]:
    """Each size on a store with and without persistence. Returns the content of `store.json`."""
    found: dict[str, Any] = {}
    for persistence, appends in PERSISTENCE.items():
        for name, size in SIZES.items():
            with _store(appends) as (url, process), _worker(url, size.result_bytes):
                jobs = max(CLIENTS, int(size.jobs * scale))
                asyncio.run(_load(url, size, CLIENTS))  # warm
                turns = [_turn(url, process, size, jobs) for _ in range(rounds)]
            found[f"{name}, {persistence}"] = {key: median(one[key] for one in turns) for key in turns[0]}
    return {"clients": CLIENTS, "sizes": {name: size._asdict() for name, size in SIZES.items()}, "stores": found}


def lines(part: dict[str, Any]) -> list[str]:
    """The table of the report."""
    return [
        f"One job store, {part['clients']} clients. A store executes commands in one thread; the rate of a full core",
        "is that of a store whose clients have other cores:",
        "",
        "| job, persistence | jobs/s here | CPU ms of the store a job | jobs/s of a full core | MB/s of a full core |",
        "|---|---|---|---|---|",
        *[
            f"| {name} | {one['jobs_per_second']:,.0f} | {one['store_cpu_ms']:.2f} "
            f"| {one['jobs_per_second_of_a_full_core']:,.0f} | {one['mb_per_second_of_a_full_core']:,.0f} |"
            for name, one in part["stores"].items()
        ],
        "",
    ]


def _turn(url: str, process: psutil.Process, size: Size, jobs: int) -> dict[str, float]:
    before_s, began_s = _cpu_s(process), perf_counter()
    asyncio.run(_load(url, size, jobs))
    seconds = perf_counter() - began_s
    cpu_ms = 1e3 * (_cpu_s(process) - before_s) / jobs
    moved = (2 * size.input_bytes + 2 * (size.result_bytes + META_BYTES)) / 1e6  # in and out
    return {
        "jobs_per_second": jobs / seconds,
        "store_cpu_ms": cpu_ms,
        "jobs_per_second_of_a_full_core": 1e3 / cpu_ms,
        "mb_per_second_of_a_full_core": moved * 1e3 / cpu_ms,
    }


async def _load(url: str, size: Size, jobs: int) -> None:
    """A gateway's side of so many jobs."""
    store = JobStore(url, timeout_s=30.0)
    payload = os.urandom(size.input_bytes)
    new = NewJob(SPEC, payload, SPEC.rows, result_bytes=size.result_bytes + META_BYTES)
    numbers = count()

    async def client() -> None:
        while next(numbers) < jobs:
            async with store.jobs.submit_and_wait(new, takes_result=True) as (submitted, wait):
                waited = await wait(60.0)
            meta, tensors = waited.result or await store.results.get(submitted.record.id)
            if (len(meta), len(tensors)) != (META_BYTES, size.result_bytes):
                raise RuntimeError("a result is not what the worker has stored")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CLIENTS, jobs)):
                group.create_task(client())
    finally:
        await store.close()


def _work(url: str, result_bytes: int, stopped: Event) -> None:
    """Claims and finishes jobs, as a worker does, until `stopped` is set."""
    queue = WorkerQueue(url, "bench", result_ttl_s=RESULT_TTL_S, timeout_s=30.0)
    meta = json.dumps({"padding": " " * (META_BYTES - len('{"padding": ""}'))}).encode()
    tensors = os.urandom(result_bytes)
    with closing(queue):
        while not stopped.is_set():
            claims = queue.claims.take({MODEL: CLAIMED}, BLOCK_MS)
            if claims:
                queue.claimed_jobs.finish_all([FinishedJob(claim, meta, tensors, None) for claim in claims])


@contextmanager
def _store(appends: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own, with or without an append-only file."""
    with ExitStack() as stack:
        embedded = stack.enter_context(closing(EmbeddedStore()))
        program = embedded.program()
        command = [*DIE_WITH_PARENT, str(os.getpid()), *program.command]
        process = stack.enter_context(Popen(command, env={**os.environ, **program.environment}))
        stack.callback(process.terminate)
        asyncio.run(embedded.answering())
        with closing(redis.Redis.from_url(embedded.url)) as client:
            client.config_set("appendonly", appends)
        yield embedded.url, psutil.Process(process.pid)


@contextmanager
def _worker(url: str, result_bytes: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()
    process = context.Process(target=_work, args=(url, result_bytes, stopped), daemon=True)
    process.start()
    try:
        yield
    finally:
        stopped.set()
        process.join()
        if process.exitcode:
            print(f"the worker ended with {process.exitcode}", file=sys.stderr)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
