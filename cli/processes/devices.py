"""Which worker processes suit this machine. Torch is loaded in a child process only."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))  # the second under WSL
COUNT = "import torch; print(torch.cuda.device_count())"
COUNT_TIMEOUT_S = 120.0
DEVICE, THREADS = "ATTRIBUTION_DEVICE", "ATTRIBUTION_THREADS"
PER_DEVICE = "ATTRIBUTION_WORKERS_PER_DEVICE"  # tells a worker how many share its device


def cuda_devices() -> int:
    """Counts the CUDA devices that torch can use. Without a driver no process is started."""
    if not any(driver.exists() for driver in DRIVERS):
        return 0
    found = subprocess.run(  # noqa: S603  # a fixed command
        [sys.executable, "-P", "-c", COUNT], capture_output=True, text=True, timeout=COUNT_TIMEOUT_S, check=False
    )
    return int(found.stdout) if found.returncode == 0 else 0


def cores() -> int:
    """Counts the CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def plan_gateways(count: int | None, workers: int, cuda: int, cores: int) -> int:
    """The number of gateway processes: as many as `count` says, else one, or more where GPUs leave cores for them.

    A gateway takes about as long for a small job as a worker does in its own Python, and each is one interpreter. So
    there are as many gateways as workers on GPUs, where each of them has a core. Passes on the CPU need the cores.
    """
    if count is not None:
        return count
    return max(1, min(workers, cores - workers)) if cuda else 1


def plan_workers(
    count: int | None, cuda: int, cores: int, environment: Mapping[str, str], per_device: int = 1
) -> list[dict[str, str]]:
    """The variables of each worker process: `per_device` for each CUDA device, else on the CPU, or `count` in all.

    Threads times processes never exceed the cores, but each process has one. What the operator has set in `environment`
    is kept where it is not more.
    """
    chosen = environment.get(DEVICE) or "auto"
    kinds = [f"cuda:{index}" for index in range(cuda)] or ["cpu"] if chosen == "auto" else [chosen]
    devices = [kinds[index % len(kinds)] for index in range(count or len(kinds) * per_device)]
    threads = _at_most(environment.get(THREADS), cores // len(devices))
    sharing = Counter(devices)
    return [{DEVICE: device, THREADS: threads, PER_DEVICE: str(sharing[device])} for device in devices]


def share_device(device: str, count: int, cores: int, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of each of `count` worker processes of one device: they share the threads that one would have."""
    given = environment.get(THREADS) or ""
    threads = min(int(given), cores) if given.isdecimal() else cores
    return {DEVICE: device, THREADS: _at_most(given, threads // count), PER_DEVICE: str(count)}


def _at_most(threads: str | None, most: int) -> str:
    """The operator's number of threads, if it is less. What is no number is left to the worker, which refuses it."""
    if threads and not threads.isdecimal():
        return threads
    return str(max(1, min(most, int(threads or most))))
