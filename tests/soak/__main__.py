"""`python -m tests.soak`: seeds of mixed jobs through a disturbed service; one line of JSON a seed, then a table.

Exits with 1 when a promise was broken.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

from tests.soak.run import SeedReport, SoakOptions, run_seed

COLUMNS = (
    "seed",
    "jobs",
    "succeeded",
    "cancelled",
    "failed",
    "disturbances",
    "dead workers",
    "refused for now",
    "cut",
    "too late",
    "slowest, s",
    "compared",
    "worst difference",
    "run, s",
    "faults",
)


def row(report: SeedReport) -> str:
    """One line of the table in Markdown."""
    status = report.statuses.get
    cells = (
        report.seed,
        report.jobs,
        status("succeeded", 0),
        status("cancelled", 0),
        status("failed", 0),
        len(report.disturbances),
        report.worker_deaths,
        sum(report.refusals.values()),
        report.cuts,
        report.expired,
        report.slowest_s,
        report.compared,
        f"{report.worst_difference:.1e}",
        report.took_s,
        len(report.faults),
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    defaults = SoakOptions()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=defaults.jobs, help="jobs of each seed")
    parser.add_argument("--sample", type=int, default=defaults.sample, help="results compared with Captum, a seed")
    parser.add_argument("--disturbances", type=int, default=defaults.disturbances, help="at most so many, a seed")
    parser.add_argument("--minutes", type=float, default=180.0, help="no seed begins later than this")
    parser.add_argument("--out", type=Path, help="a file to which each seed's line of JSON is added")
    parser.add_argument("--logs", type=Path, help="a new folder that keeps the logs of every process")
    given = parser.parse_args()
    options = SoakOptions(jobs=given.jobs, sample=given.sample, disturbances=given.disturbances)
    reports = []
    until_s = time.monotonic() + 60 * given.minutes
    for seed in range(given.first, given.first + given.seeds):
        if time.monotonic() > until_s:
            break
        folder = given.logs and given.logs / f"seed-{seed}"
        if folder:
            folder.mkdir(parents=True)
        report = asyncio.run(run_seed(seed, options, folder))
        reports.append(report)
        line = json.dumps(report.document())
        print(line, flush=True)
        if given.out:
            with given.out.open("a") as out:
                out.write(line + "\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    print("\n".join(map(row, reports)))
    return int(any(report.faults for report in reports))


if __name__ == "__main__":
    raise SystemExit(main())
