"""E_serve and fill: the share of the device's capacity that becomes explanations, over HTTP, at saturation.

    E_serve = sum over classes of (useful rows x ceiling seconds per row) / wall time = fill x kernel x busy

fill = useful / executed rows, kernel = ceiling time / pass time of the executed rows, busy = pass time / wall time.
Wall time runs from the first byte sent to the last result decoded. Ceilings are measured before and after each round. A
round is void if the two differ by more than a tenth.
"""

from collections.abc import Collection
from statistics import median
from typing import Any

import psutil

from benchmarks.ceiling import MODEL, Ceilings
from benchmarks.load import Done, bodies, images, load_service
from benchmarks.processes import Server, service

VOID_DRIFT = 0.10  # relative difference of the ceilings before and after a round
IG: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 50}
MIX: list[dict[str, Any]] = [
    {"name": "saliency"},
    IG,
    {"name": "gradient_shap"},
    {"name": "occlusion"},
    {"name": "smooth_grad"},
    {"name": "layer_grad_cam"},
    {"name": "deep_lift"},
]
# Rows of one job by class. Its other rows are forwards: the prediction, the baseline, the windows.
ROWS: dict[str, dict[str, int]] = {
    "saliency": {"gradient": 1},
    "integrated_gradients": {"gradient": 50},
    "gradient_shap": {"gradient": 5},
    "smooth_grad": {"gradient": 5},
    "layer_grad_cam": {"layer": 1},
    "deep_lift": {"pair": 1},
    "occlusion": {},
}
COUNTED_ROWS = {"gradient": 1, "layer": 1, "pair": 2}  # that the service counts for one row of a class


def measure(*, mix: bool, rounds: int, jobs: int, clients: int) -> dict[str, Any]:
    """Runs `rounds` of ceiling, load, ceiling. Returns the content of `ig.json` or, with `mix`, `mix.json`."""
    with service() as server:
        ceilings = Ceilings()
        ceilings.survey()
        inputs = [{"image": image} for image in images()]
        body = bodies(MODEL, inputs, *(MIX if mix else [IG]))
        load_service(server.url, body, clients=len(MIX), jobs=len(MIX))  # warm
        classes = ("forward", "gradient", "layer", "pair") if mix else ("forward", "gradient")
        measured = [_round(server, ceilings, classes, body, clients, jobs) for _ in range(rounds)]
    valid = [round_ for round_ in measured if not round_["void"]]
    numbers = ("e_serve", "fill", "kernel", "busy", "rows_per_pass", "worker_share", "jobs_per_second")
    e_serve = [round_["e_serve"] for round_ in valid or measured]
    return {
        "rounds": measured,
        "grid": ceilings.grid,
        "best": {name: f"{best.name}, {best.batch}" for name, best in ceilings.best.items()},
        "clients": clients,
        "jobs": jobs,
        "valid": len(valid),
        **{name: median(round_[name] for round_ in valid or measured) for name in numbers},
        "range": [min(e_serve), max(e_serve)],
    }


def _round(
    server: Server, ceilings: Ceilings, classes: Collection[str], body: Any, clients: int, jobs: int
) -> dict[str, Any]:
    before = ceilings.measure(classes)
    counters, cpu, own = server.counters(MODEL), server.cpu_s(), psutil.Process().cpu_times()
    done = load_service(server.url, body, clients=clients, jobs=jobs)
    used = {name: seconds - cpu.get(name, 0.0) for name, seconds in server.cpu_s().items()}
    ended = psutil.Process().cpu_times()
    used["load"] = ended.user + ended.system - own.user - own.system
    counted = server.counted_since(counters, MODEL, len(done.jobs))
    after = ceilings.measure(classes)
    ceiling = {name: (before[name] + after[name]) / 2 for name in before}
    ideal_s = sum(rows * ceiling[name] for name, rows in useful_rows(done).items())
    drift = max(abs(before[name] - after[name]) / before[name] for name in ("forward", "gradient"))
    useful = sum(timing["rows"] for _, timing in done.jobs)
    return {
        "e_serve": ideal_s / done.seconds,
        "fill": useful / counted["executed_rows_total"],
        "kernel": ideal_s / counted["pass_seconds_total"] * counted["executed_rows_total"] / useful,
        "busy": counted["pass_seconds_total"] / done.seconds,
        "rows_per_pass": counted["executed_rows_total"] / counted["passes_total"],
        "worker_share": used["worker"] / sum(used.values()),
        "jobs_per_second": done.per_second,
        "seconds": done.seconds,
        "ceiling_s": ceiling,
        "drift": drift,
        "void": drift > VOID_DRIFT,
        "rows": useful_rows(done),
    }


def useful_rows(done: Done) -> dict[str, int]:
    """Rows by class from the results' timing, without padding, repeated rows and cancelled work."""
    rows: dict[str, int] = {}
    for method, timing in done.jobs:
        left = timing["rows"]
        for name, count in ROWS[method].items():
            rows[name] = rows.get(name, 0) + count
            left -= count * COUNTED_ROWS[name]
        rows["forward"] = rows.get("forward", 0) + left
    return rows
