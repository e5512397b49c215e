"""`python -m benchmarks [--only PART …] [--quick]`: measures, and writes `benchmarks/results.md`.

Each part writes `benchmarks/results/<part>.json`. The report also holds the parts that an earlier run measured.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import capacity, dialects, efficiency, latency, memory, outside_passes, report, store, versus_captum
from benchmarks.host import measure as host
from benchmarks.machine import device, machine
from workers.engine.device.allocator import keep_freed_memory
from workers.methods.captum_changes import install as install_captum_changes

RESULTS = Path(__file__).parent / "results"


def parts(quick: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """The measurements by name. On a GPU, rounds have more jobs, because each job takes less time."""
    scale = 8 if device().type == "cuda" else 1
    clients = 16 if scale == 1 else 256  # enough rows for more than two batches
    rounds = 1 if quick else 5
    jobs = 8 if quick else 16

    def captum(kind: str, ours: int, theirs: int, count: int) -> Callable[[], dict[str, Any]]:
        divisor = 4 if quick else 1
        if scale > 1:
            theirs, count = max(theirs, 24), max(count, 64)  # fewer would end too soon to be timed
        return lambda: versus_captum.measure(
            kind, rounds=rounds, ours=scale * ours // divisor, theirs=max(1, theirs // divisor), clients=count
        )

    return {
        "ig": lambda: efficiency.measure(mix=False, rounds=rounds, jobs=scale * jobs, clients=clients),
        "mix": lambda: efficiency.measure(mix=True, rounds=rounds, jobs=scale * (7 if quick else 35), clients=32),
        "captum-ig": captum("ig", 8, 3, 8),
        "captum-saliency": captum("saliency", 128, 64, 64),
        "captum-tabular": captum("tabular", 768, 512, 64),
        "memory": lambda: memory.measure(waiting=64, watched_s=20 if quick else 40),
        "dialects": lambda: dialects.measure(rounds=3 * rounds, pictures=2 * jobs, rows=8 * jobs),
        "alone": lambda: latency.alone(repeats=10 if quick else 60),
        "outside-passes": lambda: outside_passes.measure(repeats=1 if quick else 3),
        "host": lambda: host.measure(rounds=rounds, scale=0.25 if quick else 1.0),
        "store": lambda: store.measure(rounds=rounds, scale=0.3 if quick else 1.0),
        "capacity": lambda: capacity.measure(rounds=rounds, scale=0.3 if quick else 1.0),
        "fairness": lambda: latency.behind_a_long_job(repeats=3 if quick else 12),
    }


def main() -> None:
    """Measures the parts that the command line names, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", nargs="*", default=[], help="names of the parts to measure; default: all")
    parser.add_argument("--quick", action="store_true", help="short rounds, to test the benchmarks; combine with --out")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    install_captum_changes()
    keep_freed_memory()  # as a CPU worker does, so that the ceilings are as fast as passes can be
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    available = parts(arguments.quick)
    for name in arguments.only or available:
        if name not in available:
            parser.error(f"no part {name!r}: {', '.join(available)}")
        print(f"{name} …", flush=True)
        measured = {"machine": machine(), **available[name]()}
        (out / f"{name}.json").write_text(json.dumps(measured, indent=1) + "\n")
    print(report.write(out), flush=True)


if __name__ == "__main__":
    main()
