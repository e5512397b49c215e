"""What metrics and traces cost: jobs per second of services with and without them, in turns, and their CPU time.

`python -m benchmarks.observability [--rounds N] [--out FILE]` runs all services at once; one at a time has requests.
Each round has one turn of each, in an order that changes, so that ratios of one round are of the same minute of the
machine. CPU time depends less on what else the machine does. Two processes that do the same differ by some percent, so
metrics are switched off and on in one service. Jobs are Integrated Gradients of rows of the table, which take the least
time of all shipped models: what is done for each job weighs most there.
"""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load import Requests, bodies, load_service, table_row
from benchmarks.machine import machine
from benchmarks.processes import ROOT, Server
from benchmarks.switched_metrics import GOES_ON, STOPS

TABLE = "breast-cancer-mlp"
IG: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 50}
BASE = "as shipped"
CONTROL = "as shipped, another"  # differs by chance alone, which says how far the other ratios can be trusted
SILENT, MEASURING = "metrics off", "metrics on"  # turns of one service
Turn = dict[str, float]
CLIENTS = 32
JOBS = 384  # of a turn
BATCH_ROWS = 512  # of all services, which would tune them each for itself


def requests() -> Requests:
    """Different rows of the table."""
    row = table_row()
    rows = [{"features": {name: value * (1 + k / 100) for name, value in row.items()}} for k in range(32)]
    return bodies(TABLE, rows, IG)


def servers(sink: str, models: Path) -> dict[str, Server]:
    """The services by what is recorded in them. `sink` receives the spans."""
    serve = ("serve", "--port", "0", "--models", str(models), "--no-standby")
    rows = {"ATTRIBUTION_BATCH_ROWS": str(BATCH_ROWS)}
    traced = {**rows, "OTEL_EXPORTER_OTLP_ENDPOINT": sink}
    one_in_100 = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    return {
        BASE: Server("-m", "cli", *serve, variables=rows),
        CONTROL: Server("-m", "cli", *serve, variables=rows),
        MEASURING: Server("-m", "benchmarks.switched_metrics", *serve, variables=rows),
        "all traces": Server("-m", "cli", *serve, variables=traced),
        "1 trace in 100": Server("-m", "cli", *serve, variables={**traced, **one_in_100}),
    }


def measure(rounds: int) -> dict[str, Any]:
    """Each turn's jobs per second and CPU time, and the ratios of each to what it is compared with."""
    body = requests()
    with ExitStack() as stack:
        models = Path(stack.enter_context(TemporaryDirectory()))
        copytree(ROOT / "models" / TABLE, models / TABLE)
        sink = stack.enter_context(Server("-m", "benchmarks.span_sink"))
        running = {name: stack.enter_context(server) for name, server in servers(sink.url, models).items()}
        running[SILENT] = running[MEASURING]
        for server in running.values():
            _turn(server, body)  # warm
        turns: list[dict[str, Turn]] = []
        for number in range(rounds):
            turns.append({})
            for name in _order([*running], number):
                _measure_or_not(running[name], name)
                turns[-1][name] = _turn(running[name], body)
            print(json.dumps(turns[-1]), flush=True)
    compared = {name: MEASURING if name == SILENT else BASE for name in running if name not in (BASE, MEASURING)}
    return {"ratios": {name: _ratios(turns, name, to) for name, to in compared.items()}, "turns": turns}


def _order(names: list[str], number: int) -> list[str]:
    """The turns of a round: each begins with another, forwards or backwards."""
    first = number % len(names)
    turned = names[first:] + names[:first]
    return turned if number // len(names) % 2 else turned[::-1]


def _measure_or_not(server: Server, name: str) -> None:
    if name in (SILENT, MEASURING):
        for process in server.processes():
            if {"gateway", "worker"} & set(process.cmdline()):
                process.send_signal(STOPS if name == SILENT else GOES_ON)


def _turn(server: Server, body: Requests) -> Turn:
    before_s = sum(server.cpu_s().values())
    per_second = load_service(server.url, body, clients=CLIENTS, jobs=JOBS).per_second
    return {"jobs_per_s": per_second, "cpu_ms_per_job": 1e3 * (sum(server.cpu_s().values()) - before_s) / JOBS}


def _ratios(turns: list[dict[str, Turn]], name: str, compared_with: str) -> dict[str, dict[str, float]]:
    """Of each number the median of the rounds' ratios to another service's, and their quartiles."""
    found = {}
    for number in turns[0][name]:
        ratios = [turn[name][number] / turn[compared_with][number] for turn in turns]
        low, _, high = quantiles(ratios, n=4)
        found[number] = {"median": round(median(ratios), 4), "low": round(low, 4), "high": round(high, 4)}
    return found


def main() -> None:
    """Measures, and prints or writes the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observability")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.rounds)
    document = json.dumps({"machine": machine(), "clients": CLIENTS, "jobs": JOBS, **found}, indent=1)
    if arguments.out is None:
        print(document)
    else:
        arguments.out.write_text(document + "\n")


if __name__ == "__main__":
    main()
