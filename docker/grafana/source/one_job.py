"""Dashboard *One job*: a job by its id, and recent ones with their pictures, read from the service's own JSON.

Prometheus holds no job ids, so these panels use the Infinity data source: Grafana asks the address in the variable
`gateway`. Pictures are loaded by the reader's browser from the address in the variable `service`.
"""

from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, table, text
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DynamicConfigValue
from grafana_foundation_sdk.models.text import TextMode

from docker.grafana.source.panels import NO_TRAFFIC

INFINITY = DataSourceRef(type_val="yesoreyeram-infinity-datasource", uid="${infinity}")
STAGES = '{"queued": timing.queued_ms, "prepare": timing.prepare_ms, "run": timing.run_ms, "wait": timing.wait_ms, \
"pass": timing.pass_ms}'
RECENT = 'jobs.{"created": created_at, "job": id, "model": model & "@" & version, "method": method.name, \
"overlay": links.overlay ? "${service}" & links.overlay & "?caption=false&size=128"}'
JOB = '{"status": status, "model": model & "@" & version, "method": method.name, "created": created_at, \
"started": started_at, "finished": finished_at, "error": error.detail, "trace": trace_id}'
LINKS = """\
### Job `${job}`

[Result](${service}/jobs/${job}/result) ·
[Picture](${service}/jobs/${job}/overlay.png) ·
[Metrics of quality](${service}/jobs/${job}/quality.png) ·
[Job](${service}/jobs/${job})

![overlay](${service}/jobs/${job}/overlay.png)
"""


class ServiceQuery(Dataquery):
    """A query of the Infinity data source: a path of the service, and the JSONata expression that makes rows of it."""

    def __init__(self, path: str, selector: str) -> None:
        self.path = path
        self.selector = selector

    def build(self) -> "ServiceQuery":
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "refId": "A",
            "datasource": INFINITY.to_json(),
            "type": "json",
            "parser": "backend",
            "source": "url",
            "format": "table",
            "url": self.path,
            "url_options": {"method": "GET"},
            "root_selector": self.selector,
            "columns": [],
            "filters": [],
        }


class JobPanel(NamedTuple):
    """A panel of this dashboard, with the title and the description that tests look for."""

    title: str
    description: str


STAGES_PANEL = JobPanel(
    "Stages",
    "The time of the job in each stage, in milliseconds. Source: `timing` of GET /jobs/{id}/result. When it is bad: "
    "wait is part of run and means a busy device; queued means too few workers.",
)
JOB_PANEL = JobPanel(
    "Job",
    "The job as the service tells it. Source: GET /jobs/{id}. When it is bad: the error says why it failed; a job that "
    "is not found has expired.",
)
RESULT_PANEL = JobPanel(
    "Picture and links",
    "The job's picture and links to its result. Source: GET /jobs/{id}/overlay.png. When it is bad: the browser needs "
    "the address in the variable `service`, under the same host and port as Grafana; see docs/dashboards.md.",
)
RECENT_PANEL = JobPanel(
    "Recent explanations",
    "The latest jobs with a result, and their pictures. Source: GET /jobs?status=succeeded. When it is bad: see "
    "Picture and links.",
)


def recent() -> table.Panel:
    """A table of the latest jobs, one picture in each row."""
    query = ServiceQuery("${gateway}/jobs?status=succeeded&limit=20", RECENT)
    image = DynamicConfigValue("custom.cellOptions", {"type": "image"})
    link = DynamicConfigValue("links", [{"title": "This job", "url": "/d/attribution-one-job?var-job=${__value.text}"}])
    built = table.Panel().title(RECENT_PANEL.title).description(RECENT_PANEL.description).datasource(INFINITY)
    built = built.override_by_name("overlay", [image]).override_by_name("job", [link])
    return built.with_target(query).no_value(NO_TRAFFIC).span(24).height(14)  # type: ignore[arg-type]


def job() -> table.Panel:
    """One row: the job."""
    built = table.Panel().title(JOB_PANEL.title).description(JOB_PANEL.description).datasource(INFINITY)
    query = ServiceQuery("${gateway}/jobs/${job}", JOB)
    return built.with_target(query).no_value("no such job").span(24).height(4)  # type: ignore[arg-type]


def stages() -> bargauge.Panel:
    """One bar for each stage."""
    built = bargauge.Panel().title(STAGES_PANEL.title).description(STAGES_PANEL.description).datasource(INFINITY)
    built = built.unit("ms").reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    query = ServiceQuery("${gateway}/jobs/${job}/result", STAGES)
    return built.with_target(query).no_value("no result").span(10).height(12)  # type: ignore[arg-type]


def picture() -> text.Panel:
    """The picture and the links."""
    built = text.Panel().title(RESULT_PANEL.title).description(RESULT_PANEL.description)
    return built.mode(TextMode.MARKDOWN).content(LINKS).span(14).height(12)
