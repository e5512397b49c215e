"""Writes docs/metrics.md from the definitions of the metrics: `python docs/metrics_page.py`. A test holds the page."""

from pathlib import Path

from schemas.telemetry import names
from schemas.telemetry.definitions import Definition, Home

PAGE = Path(__file__).parent / "metrics.md"
INTRODUCTION = """\
# Metrics

`GET /metrics` of a gateway speaks Prometheus' text format, and OpenMetrics where `Accept` prefers
`application/openmetrics-text`. OpenMetrics alone shows exemplars: with them a bucket of a histogram names the trace of
the latest request or job that it counted, where that has one ([tracing](tracing.md)). With a file of keys the scraper needs a key
of scope `metrics`. The service sends nothing anywhere by itself.

This page is made from the definitions in `schemas/telemetry/` by `python docs/metrics_page.py`. Dashboards are in
`docker/grafana/`, alerts in `docker/prometheus/`, what to do about one in [runbook.md](runbook.md).

## Where the numbers come from

Gateways are stateless, and there may be several. Workers do not listen on HTTP: a gateway reports for them. So each
metric has one home, and the home says how the values that several gateways report become the one of the service:

| home | who counts | what a query does over gateways | after the end of a process |
|---|---|---|---|
| gateway | each gateway its own requests | `sum` | begins at 0, which `rate` allows for |
| store | the scripts of the job store at each change, and workers, which add what they measured to counters there every 2 s and when they stop | `max`: all gateways report the same | the numbers stay |
| worker | each worker, in its heartbeat every 2 s | `max`, then `sum` over the label `worker` | a live worker alone is reported |

Where `serve` starts several gateways on one socket, each of them reports the requests of all, since a scrape reaches any of
them. To Prometheus they are one gateway. The counts of one that dies stay.

    sum by (status) (rate(attribution_http_requests_total[5m]))
    sum by (status) (max by (model, priority, status, code) (rate(attribution_jobs_ended_total[5m])))
    sum by (model) (max by (model, worker) (rate(attribution_worker_executed_rows_total[5m])))

The `max` takes the labels of the table below, so that whatever names the scraped process (`instance`, `pod`) is
joined. A plain `sum` over two gateways would count every job of the store twice.

How exact the numbers of the home *store* are:

- Ends and repeats are counted by the script that makes them, exactly once.
- What a worker measured since its last report, at most 2 s of it, is lost when the worker is killed. What it adds while the
  connection breaks may be counted twice. While the store is away, or has no memory to spare, the worker keeps its
  numbers and adds them later.
- Counters of a model to which nothing is added for 24 h are forgotten and begin at 0 again.
- A store without persistence begins at 0 when it restarts.

The queue (`attribution_queue_…`, `attribution_backlog_seconds`, `attribution_drain_seconds`) is read from the store at
each scrape, so it is known without any live worker, and is 0 when empty. A model is named in `attribution_queue_…` from its
first job on.

- `attribution_backlog_seconds` is the number to scale by: the rows that wait and run, divided by the pace of **one** worker
  of the group, however many there are. Every gateway reports it for every model that is known, awake or asleep. A model
  that two groups hold has a backlog in each, of all its jobs, at the pace of that group's workers: do not add them up.
  [scaling.md](scaling.md) says how it is applied.
- `attribution_drain_seconds` is what a client waits for: the seconds that the rows of each job took at the pace of all
  workers of the model when it was queued.

Before a pace is measured, that of another group is assumed, or 500 rows/s.

While the job store does not answer within a second, only the metrics of the home *gateway* and
`attribution_store_up 0` are reported.

## Labels

No client can make a label value: unknown paths are `unmatched`, unknown HTTP methods `OTHER`.

| label | values | at most |
|---|---|---|
| `model` | `name@version` of a model that has had a job, or is in a worker's folders | what the operator deploys |
| `method` | a method of `GET /methods`; an HTTP method where `route` is a label | the methods of this version |
| `priority` | `interactive`, `batch` | 2 |
| `stage` | `queued`, `prepare`, `wait` (for passes), `pass`, `finish` (to store the result), `total` (from the request to the stored result) | 6 |
| `status` | of a job: `succeeded`, `failed`, `cancelled`; of a model: as in `GET /models`; of a response: its HTTP status | what the protocols define |
| `code` | the code of a failed job's error, or `-` | the errors of this version |
| `reason` | `lost`, `stalled`, `released` | 3 |
| `outcome` | of a submission: `created`, `hit`, `shared`; of an admission: `accepted` or the code of an error | the errors of this version |
| `key` | the name of an API key; empty on a service without keys | the file of keys |
| `route` | the template of a route | the routes of this version |
| `monitor` | the name of a monitor; with API keys that of its key, a slash, and its name | 32 |
| `statistic` | `ndcg`, `psi_max`, `psi_score`, see [monitors](monitors.md) | 3 |
| `group` | the groups of workers (`ATTRIBUTION_GROUP`) that hold the model, or did so within 7 days | what the operator deploys |
| `measured` | `true`; `false` while the pace is an estimate. A series has one of the two | 1 at a time |
| `worker` | the id of a live worker | the live workers, at one time |
| `device` | `cpu`, `cuda:0`, … | the devices |
| `le` | the upper bound of a bucket | 20 |

A model costs about 120 series for each method and priority that is used, most of them buckets of the six stages, and 50
more by itself and at each worker.

## Cost

Measured on two cores that other work shared: a worker spends 30 µs of CPU on the metrics of a job, in the thread that stored
its result, and the store 1.7 ms every 2 s on each model of a worker. A gateway spends 0.13 s of CPU on a scrape of 6,260
lines (5 models, 5 methods, both priorities), in a thread of its own.

## All metrics
"""
HOMES: dict[Home, str] = {
    "gateway": "### Of each gateway\n\nJoin gateways by `sum`.",
    "store": "### Of the job store\n\nJoin gateways by `max`.",
    "worker": "### Of each worker\n\nJoin gateways by `max`, then workers by `sum`. Counters begin at 0 with the worker; "
    "those of passes also when its model is loaded again.",
}


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for home, heading in HOMES.items():
        rows = [_row(one) for one in names.ALL.values() if one.home == home]
        parts.append("\n".join([heading, "", "| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""]))
    buckets = [f"| `{one.name}` | {_bounds(one)} |" for one in names.ALL.values() if one.kind == "histogram"]
    parts.append("\n".join(["### Buckets", "", "| histogram | upper bounds |", "|---|---|", *buckets, ""]))
    return "\n".join(parts)


def _row(one: Definition) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"


def _bounds(one: Definition) -> str:
    return ", ".join(f"{bound:g}" for bound in one.buckets)


if __name__ == "__main__":
    PAGE.write_text(page())
