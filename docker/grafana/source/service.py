"""Dashboard *Service*: how fast, how full, what fails."""

from docker.grafana.source.panels import Panel, Query
from docker.grafana.source.queries import mean, quantile, rate, ratio, value
from schemas.telemetry import names

STAGES = names.STAGE_SECONDS
ENDS = names.JOBS_ENDED
_RESULTS = rate(STAGES, "method", where='stage="total"', part="_count")

NOW = [
    Panel(
        "Jobs ended",
        "Jobs that ended in a second, whatever their end.",
        "no jobs at all while clients send some: look at Workers and Queue.",
        "ops",
        [Query(rate(ENDS))],
        "number",
    ),
    Panel(
        "Failed",
        "The share of jobs that failed.",
        "look at Ends by code, then into the runbook under AttributionJobsFail.",
        "percentunit",
        [Query(ratio(rate(ENDS, where='status="failed"'), rate(ENDS)))],
        "number",
        0.05,
    ),
    Panel(
        "Total p95",
        "Time from the request to the stored result that 95 % of the jobs keep.",
        "look at Stages p95 to see which stage takes it.",
        "s",
        [Query(quantile(0.95, STAGES, where='stage="total"'))],
        "number",
    ),
    Panel(
        "Backlog",
        "Time that waiting and running jobs take at the pace of all workers; the longest queue of a model.",
        "add a worker; the runbook says more under AttributionBacklog.",
        "s",
        [Query(f"max({value(names.DRAIN, 'model')})")],
        "number",
        300,
    ),
    Panel(
        "Workers",
        "Live workers. Models without one are asleep, until jobs come and a worker is started for them.",
        "none while jobs wait: see AttributionNoWorker in the runbook.",
        "short",
        [Query(value(names.WORKERS))],
        "number",
    ),
    Panel(
        "Refused",
        "Requests in a second that were answered with 429: the queue is full, or a key has used its allowance.",
        "Admissions by key tells which; the key can wait, or the service needs workers.",
        "reqps",
        [Query(rate(names.HTTP_REQUESTS, where='status="429"'))],
        "number",
    ),
]
TRAFFIC = [
    Panel(
        "Responses by status",
        "Requests answered in a second.",
        "5xx: see AttributionServerErrors in the runbook. 499 are clients that did not wait.",
        "reqps",
        [Query(rate(names.HTTP_REQUESTS, "status"), "{{status}}")],
    ),
    Panel(
        "Response time p95 by route",
        "Time from a request's first byte to its answer's last that 95 % keep. Requests that wait for a result count "
        "with their wait.",
        "compare with Stages p95: what is only here is the gateway, which may need a second process.",
        "s",
        [Query(quantile(0.95, names.HTTP_SECONDS, "route"), "{{route}}")],
    ),
    Panel(
        "Jobs submitted",
        "Jobs accepted in a second: created, hit (answered from an earlier result) or shared (with an equal job).",
        "a share of created that rises for equal requests: results expire too early, see ATTRIBUTION_RESULT_TTL_S.",
        "ops",
        [Query(rate(names.JOBS_SUBMITTED, "outcome"), "{{outcome}}")],
    ),
    Panel(
        "Admissions by key",
        "Jobs asked for in a second, by the name of the API key: accepted, or why they were refused.",
        "a key that takes the whole queue gets bounds: rows_per_minute and queued_rows in the file of keys.",
        "ops",
        [Query(rate(names.ADMISSIONS, "key", "outcome"), "{{key}} {{outcome}}")],
    ),
]
STAGE_ROW = [
    *(
        Panel(
            f"Stages p{round(share * 100)}",
            f"Time that {share:.0%} of the jobs keep in each stage: queued, prepare, wait (for a pass), pass, finish, "
            "total.",
            "queued grows: more workers. wait: the device is busy, or passes wait for other jobs. pass: the model "
            "itself. finish: the job store.",
            "s",
            [Query(quantile(share, STAGES, "stage"), "{{stage}}")],
            exemplars=True,
        )
        for share in (0.5, 0.95, 0.99)
    ),
    Panel(
        "Total p95 by method",
        "Time from the request to the stored result that 95 % of the jobs of a method keep.",
        "a slow method belongs to batch priority, or needs fewer steps or samples.",
        "s",
        [Query(quantile(0.95, STAGES, "method", "priority", where='stage="total"'), "{{method}} {{priority}}")],
    ),
    Panel(
        "Work of a job",
        "Model rows of a job, and passes that held some of them, on average by method.",
        "rows rise: clients ask for more steps or samples, or explain several examples at once.",
        "short",
        [
            Query(ratio(rate(names.JOB_ROWS, "method"), _RESULTS), "{{method}} rows"),
            Query(ratio(rate(names.JOB_PASSES, "method"), _RESULTS), "{{method}} passes"),
        ],
    ),
]
QUEUE_ROW = [
    Panel(
        "Queue",
        "Jobs waiting and running, by model.",
        "see AttributionBacklog in the runbook.",
        "short",
        [Query(value(names.QUEUE_JOBS, "model"), "{{model}}")],
    ),
    Panel(
        "Queued rows",
        "Model rows that these jobs are expected to take.",
        "few jobs with many rows: large requests, which belong to batch priority.",
        "short",
        [Query(value(names.QUEUE_ROWS, "model"), "{{model}}")],
    ),
    Panel(
        "Seconds of backlog",
        "Time that these rows take at the pace of all workers of the model, also while no worker lives.",
        "add a worker; clients get 429 from ATTRIBUTION_QUEUE_SECONDS on.",
        "s",
        [Query(value(names.DRAIN, "model"), "{{model}}")],
    ),
    Panel(
        "Seconds of one worker",
        "Time that these rows would take one worker of a group, and all rows of the group: what autoscalers go by.",
        "it grows while workers are added: the group has reached its most replicas, or they do not start.",
        "s",
        [
            Query(value(names.BACKLOG, "group", "model"), "{{group}} {{model}}"),
            Query(value(names.GROUP_BACKLOG, "group"), "{{group}}, all models"),
        ],
    ),
    Panel(
        "Ends by code",
        "Jobs that ended without a result in a second, by the code of their error; - is a cancelled job.",
        "each code is an entry of the runbook under AttributionJobsFail.",
        "ops",
        [Query(rate(ENDS, "status", "code", where='status!="succeeded"'), "{{status}} {{code}}")],
    ),
    Panel(
        "Started again",
        "Jobs that went to the queue again in a second: lost (the worker died), stalled, or released (it stopped).",
        "lost: see AttributionWorkersDie in the runbook. released is a deployment.",
        "ops",
        [Query(rate(names.JOBS_REPEATED, "reason"), "{{reason}}")],
    ),
    Panel(
        "Job store",
        "Bytes that jobs hold of the store, and what they may hold.",
        "see AttributionStoreNearlyFull in the runbook.",
        "bytes",
        [Query(value(names.STORE_USED), "used"), Query(value(names.STORE_BUDGET), "budget")],
    ),
    Panel(
        "Size of results",
        "The mean size of a stored result, by method.",
        "large results fill the store: a shorter time to live, or pictures instead of tensors.",
        "bytes",
        [Query(mean(names.RESULT_BYTES, "method"), "{{method}}")],
    ),
]
ROWS = {"Now": NOW, "Requests": TRAFFIC, "Stages of jobs": STAGE_ROW, "Queue and store": QUEUE_ROW}
