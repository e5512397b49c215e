"""`make bench ONLY=capacity`: the CPU time that a job takes of each part of the service, for docs/scaling.md.

The whole service with the shipped models; the load is a closed loop of clients. The worker's time holds the passes,
which a device of its own would take from it.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.load import Requests, bodies, images, load_service, table_row
from benchmarks.processes import Server

IG: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 50}
TEXT = "An utterly charming film, though its plot was not very good. I liked it, and so will you."
CLIENTS = 16
JOBS = {"table": 640, "text": 32, "picture": 24}
ROLES = {"gateway": "gateway", "worker": "worker", "valkey": "store"}  # by a word of the command


def loads() -> dict[str, Requests]:
    """Different requests of each kind, of 50 steps each."""
    row = table_row()
    rows = [{"features": {name: value * (1 + k / 100) for name, value in row.items()}} for k in range(32)]
    texts = [{"text": f"{TEXT} {k}"} for k in range(32)]
    return {
        "table": bodies("breast-cancer-mlp", rows, IG),
        "text": bodies("minilm-sentiment", texts, IG),
        "picture": bodies("efficientnet-lite0", [{"image": image} for image in images()], IG),
    }


def measure(*, rounds: int, scale: float = 1.0) -> dict[str, Any]:
    """Returns the content of `capacity.json`: medians of CPU ms a job, by kind and role."""
    found: dict[str, dict[str, float]] = {}
    with Server("-m", "cli", "serve", "--port", "0", "--no-standby") as server:
        for kind, body in loads().items():
            jobs = max(CLIENTS, int(JOBS[kind] * scale))
            load_service(server.url, body, clients=CLIENTS, jobs=CLIENTS)  # warm
            turns = [_turn(server, body, jobs) for _ in range(rounds)]
            found[kind] = {key: median(turn[key] for turn in turns) for key in turns[0]}
    return {"clients": CLIENTS, "kinds": found}


def lines(part: dict[str, Any]) -> list[str]:
    """The table of the report."""
    return [
        f"CPU ms of a job of IG-50 as JSON, {part['clients']} clients, by process; the worker's holds its passes:",
        "",
        "| job | gateway | store | worker | jobs/s here | jobs/s of a gateway's core |",
        "|---|---|---|---|---|---|",
        *[
            f"| {kind} | {one['gateway']:.2f} | {one['store']:.2f} | {one['worker']:.1f} "
            f"| {one['jobs_per_second']:.1f} | {1e3 / one['gateway']:,.0f} |"
            for kind, one in part["kinds"].items()
        ],
        "",
    ]


def _turn(server: Server, body: Requests, jobs: int) -> dict[str, float]:
    before = dict(_cpu_s(server))
    per_second = load_service(server.url, body, clients=CLIENTS, jobs=jobs).per_second
    used = {role: 1e3 * (after - before[role]) / jobs for role, after in _cpu_s(server)}
    return {**used, "jobs_per_second": per_second}


def _cpu_s(server: Server) -> Iterator[tuple[str, float]]:
    """CPU seconds so far, by role."""
    for process in server.processes():
        words = " ".join(process.cmdline())
        for word, role in ROLES.items():
            if word in words:
                times = process.cpu_times()
                yield role, float(times.user + times.system)
                break
