"""The settings of a worker, read once from the environment variables `ATTRIBUTION_*`."""

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated

import torch
from pydantic import ByteSize, Field, field_validator
from pydantic_settings import NoDecode

from broker import DEFAULT_GROUP, StoreSettings


class WorkerSettings(StoreSettings):
    """One worker process: one device, all models of its directories, or those that it names."""

    models: Annotated[list[Path], NoDecode] = Field(default=[Path("models")])  # directories, separated as in PATH
    device: str = "auto"  # auto, cpu, cuda:0, …
    workers_per_device: Annotated[int, Field(ge=1, le=64)] = 1  # processes that share the device, this one included
    threads: Annotated[int, Field(ge=1, le=1024)] = os.cpu_count() or 1  # CPU threads of a pass
    batch_rows: Annotated[int, Field(ge=1, le=65_536)] | None = None  # None: tuned for each model
    measurements: Path | None = None  # directory in which loads keep what they measure; None: each load measures
    model_memory: Annotated[ByteSize, Field(ge=1)] | None = None  # for models, such as "8GiB"; None: no bound
    worker_id: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")] = DEFAULT_GROUP
    serve: Annotated[frozenset[str], NoDecode] = frozenset()  # models to hold, separated by commas; none: all
    lease_ms: Annotated[int, Field(ge=500, le=600_000)] = 8_000
    replaces: str | None = None  # the worker whose place this one takes, when its process is known to be gone
    stall_s: Annotated[float, Field(ge=1, le=86_400)] = 120.0  # a job without progress for so long is given up
    grace_s: Annotated[float, Field(ge=0, le=3_600)] = 10.0  # that running jobs have when the worker stops

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [Path(part) for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    @field_validator("serve", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return frozenset(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("group", mode="before")
    @classmethod
    def _empty_is_default(cls, value: object) -> object:
        return value or DEFAULT_GROUP  # compose files pass an unset variable as an empty string

    @field_validator("workers_per_device", mode="before")
    @classmethod
    def _empty_is_one(cls, value: object) -> object:
        return value or 1

    @field_validator("measurements", "model_memory", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("device")
    @classmethod
    def _device_exists(cls, value: str) -> str:
        if value == "auto":
            return value
        device = torch.device(value)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"there is no device {value}: this machine has {torch.cuda.device_count()} CUDA devices")
        return value

    def torch_device(self) -> torch.device:
        """The device on which this worker runs its passes."""
        if self.device == "auto":
            return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    def live_jobs(self) -> int:
        """How many jobs of one model run at a time: enough one-row jobs to fill two passes."""
        by_device = 128 if self.torch_device().type == "cuda" else 16
        return max(16, 2 * (self.batch_rows or by_device))
