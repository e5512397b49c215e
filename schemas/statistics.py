"""Counters that a worker publishes with each heartbeat.

The names and descriptions of the fields are those of the Prometheus metrics `attribution_worker_<field>`, and
`attribution_device_<field>` of the device. A field whose name ends in `_total` counts from the start of the worker; any
other is the value at the time of the heartbeat. What jobs take and yield is counted in the job store instead, see
`schemas.telemetry`: there it outlives the worker.
"""

from pydantic import Field

from schemas.base import Record
from schemas.model_key import ModelKey


class JobCounters(Record):
    """The jobs of one model at one worker."""

    jobs_total: int = Field(default=0, description="Jobs that ended with a result.")
    failed_total: int = Field(default=0, description="Jobs that failed.")


class PassCounters(Record):
    """The passes of one model at one worker, since the model was last loaded."""

    executed_rows_total: int = Field(description="Model rows computed, padding and repeats included.")
    passes_total: int = Field(description="Passes run.")
    pass_seconds_total: float = Field(description="Time spent in passes.")
    oom_total: int = Field(description="Times that a batch did not fit into memory.")
    solo_rows_total: int = Field(default=0, description="Model rows computed by methods that hook the model.")
    solo_passes_total: int = Field(default=0, description="Passes of methods that hook the model.")
    shared_capacity_rows_total: int = Field(
        default=0, description="Rows that the shared passes run had room for, so that their fill can be told."
    )
    output_cache_hits_total: int = Field(default=0, description="Outputs that an earlier job had computed.")
    output_cache_misses_total: int = Field(default=0, description="Outputs that no earlier job had computed.")
    live_jobs: int = Field(description="Jobs being computed now.")
    batch_rows: int = Field(description="Rows of a full pass.")


class MemoryCounters(Record):
    """One model in the memory of one worker."""

    loads_total: int = Field(description="Times that the model was loaded.")
    evictions_total: int = Field(description="Times that the model was evicted to make room for another.")
    model_bytes: int = Field(description="Memory that the model takes now.")
    last_used_timestamp_seconds: float | None = Field(
        default=None, description="When a job last began or ended on the model."
    )


class DeviceCounters(Record):
    """The device of one worker, which all of its models share."""

    busy_seconds_total: float = Field(description="Time that passes had the device.")
    memory_used_bytes: int = Field(
        description="Memory in use: of a GPU by all processes, of a CPU the worker's resident set."
    )
    memory_total_bytes: int = Field(description="Memory that there is: of the GPU, or of the worker's machine.")


class ModelCounters(Record):
    """Everything that one worker counts for one model."""

    jobs: JobCounters | None = None  # None: the model takes no jobs, and none has ended
    passes: PassCounters | None = None  # None: the model is not in memory
    memory: MemoryCounters | None = None


class WorkerStatistics(Record):
    """The counters of one worker: by model, and of its device."""

    models: dict[ModelKey, ModelCounters] = Field(default_factory=dict)
    device: DeviceCounters | None = None
