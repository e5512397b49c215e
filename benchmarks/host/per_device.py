"""`python -m benchmarks.host.per_device`: one worker on the stand-in device, and several that share it, in turns."""

import argparse
import json
from contextlib import ExitStack
from statistics import median

from benchmarks.host.load import run_load
from benchmarks.host.measure import CLIENTS, WARM_JOBS, measure_round, rate_loads
from benchmarks.host.processes import host_service


def main() -> None:
    """Prints the median of each load and number of workers, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.host.per_device")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    loads = rate_loads(options.scale)
    found: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        services = {
            count: stack.enter_context(host_service(workers=count, shared=count > 1)) for count in options.workers
        }
        for service in services.values():
            for load in loads.values():
                run_load(service.url, load.body, load.check, clients=CLIENTS, numbers=range(WARM_JOBS))
        for number in range(options.rounds):
            for count, service in services.items():
                for name, load in loads.items():
                    one = measure_round(service, name, load, WARM_JOBS + number * load.jobs)
                    found.setdefault(f"{name}, {count}", []).append(one)
    for case, rounds in found.items():
        print(json.dumps({"case": case} | {key: round(median(one[key] for one in rounds), 3) for key in rounds[0]}))


if __name__ == "__main__":
    main()
