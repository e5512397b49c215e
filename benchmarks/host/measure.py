"""The part `host`: E_host, rates, and the CPU time of a job in each process."""

import base64
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import orjson

from benchmarks.host.load import Check, run_load
from benchmarks.host.models.linear.model import Linear
from benchmarks.host.processes import HostService, host_service
from benchmarks.host.worker import BATCH_ROWS, PASS_S, ROW_S
from benchmarks.machine import machine
from benchmarks.pictures import pictures

SIDE, STEPS, CLIENTS, TARGET = 32, 50, 64, 3
INPUTS = 32  # different ones; each request changes one of their numbers, so that no output is in a cache
CEILING_S = PASS_S / BATCH_ROWS + ROW_S  # per row, of full passes
ROWS = {"ig": STEPS + 2, "saliency": 1, "picture": 1}  # of a job: IG also evaluates both ends of the path
WARM_JOBS = 64


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one kind, and what their answers must be."""

    body: Callable[[int], bytes]
    check: Check
    jobs: int


def measure(*, rounds: int, scale: float = 1.0, gateways: int = 1, workers: int = 1) -> dict[str, Any]:
    """Runs each load in turn, `rounds` times. Returns the content of `host.json`."""
    loads = rate_loads(scale) | {"picture": _pictures(int(800 * scale))}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in loads}
    waiting = os.getloadavg()[1]  # of the last five minutes: what else the machine does
    with host_service(gateways=gateways, workers=workers) as service:
        for load in loads.values():
            run_load(service.url, load.body, load.check, clients=CLIENTS, numbers=range(WARM_JOBS))
        for number in range(rounds):
            for name, load in loads.items():
                found[name].append(measure_round(service, name, load, WARM_JOBS + number * load.jobs))
    summary = {f"{name}_{key}": median(one[key] for one in found[name]) for name in found for key in found[name][0]}
    speed = f"stand-in of {1 / ROW_S:,.0f} rows/s, {BATCH_ROWS} a pass"
    counts = {"gateways": gateways, "workers": workers, "clients": CLIENTS}
    told = {"machine": machine() | {"device": speed}, "load_average": waiting}
    return {**told, **counts, "rounds": found, **summary}


def rate_loads(scale: float) -> dict[str, Load]:
    """Loads of tensors by name: one that the device bounds, and one that the host bounds."""
    return {"ig": ig_load(int(400 * scale)), "saliency": _tensors({"name": "saliency"}, int(1_600 * scale))}


def ig_load(jobs: int) -> Load:
    """Integrated Gradients of tensors."""
    return _tensors({"name": "integrated_gradients", "n_steps": STEPS, "baseline": "zero"}, jobs)


def measure_round(service: HostService, name: str, load: Load, first: int) -> dict[str, Any]:
    """One load. CPU times are in ms per job; `launch_ms` is the part of the worker's that computes the answers."""
    before, ran = service.cpu_s(), len(service.passes())
    seconds = run_load(service.url, load.body, load.check, clients=CLIENTS, numbers=range(first, first + load.jobs))
    used = {role: 1e3 * (after - before[role]) / load.jobs for role, after in service.cpu_s().items()}
    passes = service.passes()[ran:]
    rows = sum(one["rows"] for one in passes)
    return {
        "e_host": load.jobs * ROWS[name] * CEILING_S / seconds,
        "jobs_per_second": load.jobs / seconds,
        "fill": rows / len(passes) / BATCH_ROWS,
        "busy": sum(one["ended_s"] - one["began_s"] for one in passes) / seconds,
        "rows_per_job": rows / load.jobs,
        "launch_ms": 1e3 * sum(one["launch_cpu_s"] for one in passes) / load.jobs,
        **{f"{role}_ms": value for role, value in used.items()},
    }


def _weights() -> Any:
    """The gradient of the explained output, (1, 3, side, side)."""
    return Linear(SIDE).head.weight[TARGET].detach().reshape(1, 3, SIDE, SIDE).numpy()


def _tensors(method: dict[str, Any], jobs: int) -> Load:
    weights = _weights()
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((INPUTS, 1, 3, SIDE, SIDE), dtype=np.float32).round(4)
    data = [",".join(f"{value:.4f}" for value in one.flatten()[1:]) for one in inputs]
    head = orjson.dumps({"model": "linear", "method": method, "target": TARGET, "input": {"tensor": 0}})[:-2]
    shape = f'{{"shape":[1,3,{SIDE},{SIDE}],"data":['

    def body(k: int) -> bytes:
        return head[:-1] + f"{shape}{_first(k)},{data[k % INPUTS]}]}}}}}}".encode()

    def check(k: int, answer: Any) -> None:
        if method["name"] == "saliency":
            expected = abs(weights)
        else:
            expected = weights * inputs[k % INPUTS]
            expected[0, 0, 0, 0] = weights[0, 0, 0, 0] * _first(k)
        _compare(answer, expected)

    return Load(body, check, jobs)


def _first(k: int) -> float:
    """The first number of the k-th input."""
    return round(1 + k % 100_000 / 1e5, 5)


def _pictures(jobs: int) -> Load:
    weights, bodies = _weights(), []
    for _, picture in pictures(INPUTS):
        stream = io.BytesIO()
        picture.resize((320, 320)).save(stream, "JPEG", quality=90)
        image = base64.b64encode(stream.getvalue()).decode()
        request = {"model": "linear-picture", "method": "saliency", "target": TARGET, "input": {"image": image}}
        bodies.append(orjson.dumps(request))
    return Load(lambda k: bodies[k % INPUTS], lambda k, answer: _compare(answer, abs(weights)), jobs)


def _compare(answer: Any, expected: Any) -> None:
    """`numpy.allclose` takes as long as all else that a client does for a result."""
    if answer.shape != expected.shape or not (abs(answer - expected) <= 1e-6 + 1e-4 * abs(expected)).all():
        raise RuntimeError("an answer is wrong")
