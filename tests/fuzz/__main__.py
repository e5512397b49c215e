"""`python -m tests.fuzz`: requests over real sockets, most of them nearly valid; prints one line of JSON and a table.

Exits with 1 when anything happened that must not.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

from tests.fuzz.run import FuzzReport
from tests.fuzz.session import FuzzOptions, fuzz


def table(report: FuzzReport) -> str:
    """The counts by status, in Markdown."""
    rows = [f"| {status} | {count} |" for status, count in sorted(report.by_status.items())]
    return "\n".join(["| status | responses |", "|---|---|", *rows])


def main() -> int:
    defaults = FuzzOptions()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=defaults.requests)
    parser.add_argument("--clients", type=int, default=defaults.clients)
    parser.add_argument("--minutes", type=float, default=defaults.within_s / 60, help="no request begins later")
    parser.add_argument("--out", type=Path, help="a file to which the line of JSON is added")
    parser.add_argument("--logs", type=Path, help="a new folder that keeps the logs of every process")
    given = parser.parse_args()
    if given.logs:
        given.logs.mkdir(parents=True)
    began_s = time.monotonic()
    options = FuzzOptions(given.requests, given.clients, within_s=60 * given.minutes)
    report = asyncio.run(fuzz(given.seed, options, given.logs))
    took_s = round(time.monotonic() - began_s, 1)
    line = json.dumps({"seed": given.seed, "took_s": took_s, **report.document()})
    print(line, flush=True)
    if given.out:
        with given.out.open("a") as out:
            out.write(line + "\n")
    print(table(report))
    print(f"{report.sent} requests, {report.reached_share:.0%} reached a worker, {len(report.faults)} faults")
    return int(bool(report.faults))


if __name__ == "__main__":
    raise SystemExit(main())
