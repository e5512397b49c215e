"""Counters that a worker publishes with each heartbeat.

The names and descriptions of the fields are those of the Prometheus metrics `attribution_worker_<field>`. A field whose
name ends in `_total` counts from the start of the worker; any other is the value at the time of the heartbeat.
"""

from pydantic import Field

from schemas.base import Record
from schemas.model_key import ModelKey


class JobCounters(Record):
    """The jobs of one model at one worker. Jobs that run at the same time each add their own time."""

    jobs_total: int = Field(default=0, description="Jobs that ended with a result.")
    failed_total: int = Field(default=0, description="Jobs that failed.")
    job_queued_seconds_total: float = Field(default=0.0, description="Time that jobs stood in the queue.")
    job_prepare_seconds_total: float = Field(
        default=0.0, description="Time that jobs' inputs took to decode and preprocess."
    )
    job_wait_seconds_total: float = Field(default=0.0, description="Time that jobs waited for their passes.")
    job_pass_seconds_total: float = Field(
        default=0.0, description="Time of the passes that held rows of a job, counted for each job."
    )
    job_finish_seconds_total: float = Field(default=0.0, description="Time that results took to store.")


class PassCounters(Record):
    """The passes of one model at one worker, since the model was last loaded."""

    executed_rows_total: int = Field(description="Model rows computed, padding and repeats included.")
    passes_total: int = Field(description="Passes run.")
    pass_seconds_total: float = Field(description="Time spent in passes.")
    oom_total: int = Field(description="Times that a batch did not fit into memory.")
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


class ModelCounters(Record):
    """Everything that one worker counts for one model."""

    jobs: JobCounters | None = None  # None: the model takes no jobs, and none has ended
    passes: PassCounters | None = None  # None: the model is not in memory
    memory: MemoryCounters | None = None


class WorkerStatistics(Record):
    """The counters of one worker, by model."""

    models: dict[ModelKey, ModelCounters] = Field(default_factory=dict)
