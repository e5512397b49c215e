"""Dashboard *Models*: which are loaded where, and what that costs."""

from docker.grafana.source.panels import Panel, Query
from docker.grafana.source.queries import rate, value
from schemas.telemetry import names
from schemas.telemetry.names import ALL

LAST_USED = ALL["attribution_worker_last_used_timestamp_seconds"]

PANELS = [
    Panel(
        "Status",
        "At how many workers each version of a model has which status.",
        "failed: see AttributionModelFailed in the runbook.",
        "short",
        [Query(value(names.MODEL_STATUS, "model", "status"), "{{model}} {{status}}")],
    ),
    Panel(
        "Memory",
        "Memory that each model takes, over all workers.",
        "near ATTRIBUTION_MODEL_MEMORY: models take turns, see Loads.",
        "bytes",
        [Query(value(ALL["attribution_worker_model_bytes"], "model"), "{{model}}")],
    ),
    Panel(
        "Loads",
        "Loads within the window, by model.",
        "a model that is loaded again and again waits for each load: give it more memory, or a worker of its own.",
        "short",
        [Query(rate(ALL["attribution_worker_loads_total"], "model", function="increase"), "{{model}}")],
    ),
    Panel(
        "Evictions",
        "Evictions within the window, by model.",
        "see Loads.",
        "short",
        [Query(rate(ALL["attribution_worker_evictions_total"], "model", function="increase"), "{{model}}")],
    ),
    Panel(
        "Time since its last job",
        "Seconds since a job last began or ended on the model, at the worker that used it last.",
        "a model that nobody uses can be unloaded: POST /models/{name}/unload.",
        "s",
        [Query(f"time() - max by (model) ({value(LAST_USED, 'model', 'worker')})", "{{model}}")],
    ),
    Panel(
        "Results by version",
        "Jobs that ended with a result in a second, by version of the model.",
        "an old version that still has jobs: clients name it in their requests.",
        "ops",
        [Query(rate(names.JOBS_ENDED, "model", where='status="succeeded"'), "{{model}}")],
    ),
    Panel(
        "Results by worker",
        "Jobs with a result in a second, by worker.",
        "one worker that has none while the others have: look at its log and at Status.",
        "ops",
        [Query(rate(ALL["attribution_worker_jobs_total"], "worker"), "{{worker}}")],
    ),
    Panel(
        "Failures by worker",
        "Jobs that failed in a second, by worker and model.",
        "one worker alone: its device. All: the model, or what clients send; see Service, Ends by code.",
        "ops",
        [Query(rate(ALL["attribution_worker_failed_total"], "worker", "model"), "{{worker}} {{model}}")],
    ),
]
ROWS = {"Models": PANELS}
