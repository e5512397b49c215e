"""`python -m benchmarks [--only PART …] [--quick]`: measures, and writes `benchmarks/results.md` from what is there.

Each part leaves `benchmarks/results/<part>.json`; parts not asked for keep theirs.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import efficiency, latency, memory, report, versus_captum
from benchmarks.machine import device, machine
from workers.engine.allocator import keep_freed_memory

RESULTS = Path(__file__).parent / "results"


def parts(quick: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be measured, by name. On a GPU rounds have more jobs, since each takes less."""
    scale = 8 if device().type == "cuda" else 1
    clients = 16 if scale == 1 else 256  # two batches' worth and more
    rounds = 1 if quick else 5
    jobs = 8 if quick else 16

    def captum(kind: str, ours: int, theirs: int, count: int) -> Callable[[], dict[str, Any]]:
        few = 4 if quick else 1
        if scale > 1:
            theirs, count = max(theirs, 24), max(count, 64)  # fewer would end before they are timed
        return lambda: versus_captum.measure(
            kind, rounds=rounds, ours=scale * ours // few, theirs=max(1, theirs // few), clients=count
        )

    return {
        "ig": lambda: efficiency.measure(mix=False, rounds=rounds, jobs=scale * jobs, clients=clients),
        "mix": lambda: efficiency.measure(mix=True, rounds=rounds, jobs=scale * (7 if quick else 35), clients=32),
        "captum-ig": captum("ig", 8, 3, 8),
        "captum-saliency": captum("saliency", 128, 64, 64),
        "captum-tabular": captum("tabular", 768, 512, 64),
        "memory": lambda: memory.measure(waiting=64, watched_s=20 if quick else 40),
        "alone": lambda: latency.alone(repeats=10 if quick else 60),
        "fairness": lambda: latency.behind_a_long_job(repeats=3 if quick else 12),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", nargs="*", default=[], help="parts, by name")
    parser.add_argument("--quick", action="store_true", help="short rounds, written elsewhere: figures of no worth")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    keep_freed_memory()  # as a CPU worker does: the ceilings are to be the least that can be had
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    known = parts(asked.quick)
    for name in asked.only or known:
        if name not in known:
            parser.error(f"no part {name!r}: {', '.join(known)}")
        print(f"{name} …", flush=True)
        found = {"machine": machine(), **known[name]()}
        (out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    print(report.write(out), flush=True)


if __name__ == "__main__":
    main()
