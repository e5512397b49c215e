"""Every metric of the service, but those of a worker's counters, which `schemas.statistics` describes."""

from typing import Literal

from schemas.statistics import (
    DeviceCounters,
    JobCounters,
    MemoryCounters,
    PassCounters,
)
from schemas.telemetry.definitions import Definition

Stage = Literal["queued", "prepare", "wait", "pass", "finish", "total"]

REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# A row of a small table takes a millisecond, a text with many metrics in a full queue a quarter of an hour.
STAGE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
BYTES = tuple(float(1 << power) for power in range(10, 29, 2))  # 1 KiB to 256 MiB
# Float32 leaves 1e-6 of a difference; a warning is given from 0.05 on; above 1 the sum says nothing.
RELATIVE = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0)
SHARE = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
SQUARED = (1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 100.0)

HTTP_REQUESTS = Definition(
    "attribution_http_requests_total", "counter", ("route", "method", "status"), "Requests answered.", "gateway"
)
HTTP_SECONDS = Definition(
    "attribution_http_request_seconds",
    "histogram",
    ("route", "method"),
    "Time from a request's first byte to its answer's last.",
    "gateway",
    REQUEST_S,
)
JOBS_SUBMITTED = Definition(
    "attribution_jobs_submitted_total",
    "counter",
    ("model", "method", "priority", "outcome"),
    "Jobs accepted by this gateway: created and queued, hit (answered from an earlier result), or shared.",
    "gateway",
)
ADMISSIONS = Definition(
    "attribution_admissions_total",
    "counter",
    ("key", "outcome"),
    "Jobs that were asked for, by the name of the API key: accepted, or the code of the error that refused them.",
    "gateway",
)

STORE_UP = Definition("attribution_store_up", "gauge", (), "Whether the job store answers.", "store")
STORE_USED = Definition(
    "attribution_store_used_bytes",
    "gauge",
    (),
    "Bytes of the job store that jobs hold: records, inputs and results, those to come included.",
    "store",
)
STORE_BUDGET = Definition(
    "attribution_store_budget_bytes",
    "gauge",
    (),
    "Bytes of the job store that jobs may hold; new jobs are refused beyond it.",
    "store",
)
WORKERS = Definition("attribution_workers", "gauge", (), "Live workers.", "store")
QUEUE_JOBS = Definition("attribution_queue_jobs", "gauge", ("model",), "Jobs waiting and running.", "store")
QUEUE_ROWS = Definition(
    "attribution_queue_rows",
    "gauge",
    ("model",),
    "Model rows that waiting and running jobs are expected to take.",
    "store",
)
BACKLOG = Definition(
    "attribution_backlog_seconds",
    "gauge",
    ("model", "group", "measured"),
    "Time that waiting and running jobs of the model would take one worker of a group that holds it, however many "
    "there are; 0 without jobs. `measured` is false while the pace of such a worker is an estimate.",
    "store",
)
GROUP_BACKLOG = Definition(
    "attribution_group_backlog_seconds",
    "gauge",
    ("group",),
    "Time that waiting and running jobs of all models of a group would take one of its workers.",
    "store",
)
DRAIN = Definition(
    "attribution_drain_seconds",
    "gauge",
    ("model",),
    "Time that waiting and running jobs take at the pace at which all workers of the model have ended jobs.",
    "store",
)
JOBS_ENDED = Definition(
    "attribution_jobs_ended_total",
    "counter",
    ("model", "priority", "status", "code"),
    "Jobs that ended: succeeded, cancelled, or failed with the code of their error.",
    "store",
)
JOBS_REPEATED = Definition(
    "attribution_jobs_repeated_total",
    "counter",
    ("model", "reason"),
    "Times that a started job went to the queue again: lost (its worker died), stalled, or released (its worker "
    "stopped).",
    "store",
)

_OF_JOB = ("model", "method", "priority")
_OF_METHOD = ("model", "method")
STAGE_SECONDS = Definition(
    "attribution_job_stage_seconds",
    "histogram",
    (*_OF_JOB, "stage"),
    "Time that jobs with a result spent queued, to prepare, to wait for passes, in passes, to finish, and in total.",
    "store",
    STAGE_S,
)
JOB_ROWS = Definition("attribution_job_rows_total", "counter", _OF_JOB, "Model rows of jobs with a result.", "store")
JOB_PASSES = Definition(
    "attribution_job_passes_total",
    "counter",
    _OF_JOB,
    "Passes that held rows of a job with a result, counted for each job.",
    "store",
)
RESULT_BYTES = Definition(
    "attribution_result_bytes", "histogram", _OF_METHOD, "Size of stored results.", "store", BYTES
)
RESULT_WARNINGS = Definition(
    "attribution_result_warnings_total", "counter", _OF_METHOD, "Warnings that results carry.", "store"
)
COMPLETENESS_ERROR = Definition(
    "attribution_completeness_error_ratio",
    "histogram",
    _OF_METHOD,
    "By how much the attributions of an example miss the difference of outputs that they should add up to, as a share "
    "of it.",
    "store",
    RELATIVE,
)
EXPLAINED_SCORE = Definition(
    "attribution_explained_score_ratio",
    "histogram",
    ("model",),
    "Score of the explained class, where the model's scores are probabilities.",
    "store",
    SHARE,
)
INFIDELITY = Definition(
    "attribution_infidelity",
    "histogram",
    _OF_METHOD,
    "Infidelity of an example's explanation, where the request asks for it, in squared units of the output.",
    "store",
    SQUARED,
)
SENSITIVITY = Definition(
    "attribution_sensitivity_ratio",
    "histogram",
    _OF_METHOD,
    "Largest change of an explanation under small changes of its input, where the request asks for it, relative to its "
    "norm.",
    "store",
    RELATIVE,
)
DRIFT = Definition(
    "attribution_drift",
    "gauge",
    ("monitor", "statistic"),
    "How far the latest full window of a monitor is from its reference, by the statistics of GET /monitors.",
    "store",
)
MODEL_STATUS = Definition(
    "attribution_model_status",
    "gauge",
    ("model", "worker", "status"),
    "1 for the status that the model has at the worker.",
    "worker",
)


def _of_workers() -> tuple[Definition, ...]:
    """The counters of heartbeats, by the names and descriptions of their fields."""
    records: dict[str, tuple[type[JobCounters | PassCounters | MemoryCounters | DeviceCounters], ...]] = {
        "attribution_worker_": (JobCounters, PassCounters, MemoryCounters),
        "attribution_device_": (DeviceCounters,),
    }
    labels = {"attribution_worker_": ("model", "worker"), "attribution_device_": ("device", "worker")}
    return tuple(
        Definition(
            prefix + name,
            "counter" if name.endswith("_total") else "gauge",
            labels[prefix],
            field.description or "",
            "worker",
        )
        for prefix, types in records.items()
        for record in types
        for name, field in record.model_fields.items()
    )


ALL: dict[str, Definition] = {
    one.name: one
    for one in (
        *(HTTP_REQUESTS, HTTP_SECONDS, JOBS_SUBMITTED, ADMISSIONS),
        *(STORE_UP, STORE_USED, STORE_BUDGET, WORKERS, QUEUE_JOBS, QUEUE_ROWS, BACKLOG, GROUP_BACKLOG, DRAIN),
        *(JOBS_ENDED, JOBS_REPEATED),
        *(STAGE_SECONDS, JOB_ROWS, JOB_PASSES, RESULT_BYTES, RESULT_WARNINGS),
        *(COMPLETENESS_ERROR, EXPLAINED_SCORE, INFIDELITY, SENSITIVITY, DRIFT),
        MODEL_STATUS,
        *_of_workers(),
    )
}
