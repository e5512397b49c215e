"""The dashboards as Grafana reads them."""

import json
from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
    TextBoxVariable,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from docker.grafana.source import engine, models, one_job, service, trust
from docker.grafana.source.panels import PROMETHEUS, Panel, to_grafana
from schemas.telemetry import names

TAG = "attribution"
NUMBER_SPAN, NUMBER_HEIGHT = 4, 4  # of the 24 columns of Grafana's grid
CHART_SPAN, CHART_HEIGHT = 8, 8
PANELS: dict[str, Mapping[str, Sequence[Panel]]] = {
    "Service": service.ROWS,
    "Engine": engine.ROWS,
    "Trust": trust.ROWS,
    "Models": models.ROWS,
}
ABOUT = {
    "Service": "How fast, how full, and what fails.",
    "Engine": "How well the devices are used.",
    "Trust": "How far results can be believed.",
    "Models": "Which models are loaded where.",
}


def file_name(title: str) -> str:
    """`one-job.json` of the dashboard *One job*."""
    return f"{title.lower().replace(' ', '-')}.json"


def documents() -> dict[str, str]:
    """The JSON of each dashboard, by the name of its file."""
    built = {title: _of_prometheus(title, rows) for title, rows in PANELS.items()} | {"One job": _one_job()}
    return {file_name(title): _text(dashboard) for title, dashboard in built.items()}


def _text(dashboard: Dashboard) -> str:
    return json.dumps(dashboard.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _of_prometheus(title: str, rows: Mapping[str, Sequence[Panel]]) -> Dashboard:
    dashboard = _empty(title, ABOUT[title]).with_variable(_prometheus()).with_variable(_model())
    number = 1
    for heading, panels in rows.items():
        dashboard = dashboard.with_row(Row(heading).id(number))
        number += 1
        for panel in panels:
            is_number = panel.kind == "number"
            width, height = (NUMBER_SPAN, NUMBER_HEIGHT) if is_number else (CHART_SPAN, CHART_HEIGHT)
            dashboard = dashboard.with_panel(to_grafana(panel, width, height).id(number))
            number += 1
    return dashboard


def _one_job() -> Dashboard:
    about = "A job by its id, and recent ones with their pictures."
    address = TextBoxVariable("service").label("Service, for browsers").default_value("http://localhost:8000")
    inside = TextBoxVariable("gateway").label("Service, for Grafana").default_value("http://gateway:8000")
    dashboard = _empty("One job", about).with_variable(_infinity()).with_variable(inside).with_variable(address)
    dashboard = dashboard.with_variable(TextBoxVariable("job").label("Job"))
    dashboard = dashboard.with_panel(one_job.job().id(1)).with_panel(one_job.stages().id(2))
    return dashboard.with_panel(one_job.picture().id(3)).with_panel(one_job.recent().id(4))


def _empty(title: str, about: str) -> Dashboard:
    others = DashboardLink("Attribution").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True)
    dashboard = Dashboard(f"Attribution: {title}").uid(f"attribution-{file_name(title).removesuffix('.json')}")
    dashboard = dashboard.description(about).tags([TAG]).refresh("15s").time("now-1h", "now").timezone("browser")
    return dashboard.tooltip(DashboardCursorSync.CROSSHAIR).link(others.keep_time(True).include_vars(True))


def _prometheus() -> DatasourceVariable:
    return DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _infinity() -> DatasourceVariable:
    return DatasourceVariable("infinity").label("Infinity").type("yesoreyeram-infinity-datasource")


def _model() -> QueryVariable:
    every = VariableOption(selected=True, text="All", value="$__all")
    query = f"label_values({names.QUEUE_JOBS.name}, model)"
    variable = QueryVariable("model").label("Model").datasource(PROMETHEUS).query(query).current(every)
    variable = variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return variable.multi(True).include_all(True).all_value(".*")
