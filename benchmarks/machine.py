"""The machine that the numbers were measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch


def device() -> torch.device:
    """The first device that `attribution serve` uses."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def machine() -> dict[str, Any]:
    """Device, processor, cores, versions and date, for the head of the report."""
    return {
        "device": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.processor() or platform.machine()
