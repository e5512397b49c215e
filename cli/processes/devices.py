"""Which worker processes suit this machine. Torch is loaded in a child process only."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))  # the second under WSL
COUNT = "import torch; print(torch.cuda.device_count())"
COUNT_TIMEOUT_S = 120.0


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


def plan_workers(count: int | None, cuda: int, cores: int, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """The variables of each worker process: one per CUDA device, else one on the CPU, or as many as `count` says.

    Threads times processes never exceed the cores. What the operator has set in `environment` is left alone.
    """
    chosen = environment.get("ATTRIBUTION_DEVICE", "auto")
    if chosen != "auto":
        devices = [chosen] * (count or 1)
    elif cuda:
        devices = [f"cuda:{index % cuda}" for index in range(count or cuda)]
    else:
        devices = ["cpu"] * (count or 1)
    threads = environment.get("ATTRIBUTION_THREADS") or str(max(1, cores // len(devices)))
    return [{"ATTRIBUTION_DEVICE": device, "ATTRIBUTION_THREADS": threads} for device in devices]
