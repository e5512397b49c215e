"""What each dashboard promises, read from the committed JSON. Grafana itself is not needed, and was not looked at."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from docker.grafana.source import one_job
from docker.grafana.source.dashboards import documents
from docker.grafana.source.panels import NO_TRAFFIC
from docker.grafana.source.queries import mean, rate, value
from schemas.telemetry import names
from service.drawing.overlay_options import OverlayOptions
from tests.paths import ROOT

FOLDER = ROOT / "docker" / "grafana" / "dashboards"
FILES = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.iterdir())}
OF_PROMETHEUS = [name for name in FILES if name != "one-job.json"]
SUFFIX = re.compile(r"_(bucket|count|sum)$")
each_file = pytest.mark.parametrize("name", FILES)


def panels(name: str) -> Iterator[dict[str, Any]]:
    """All panels of a dashboard but the headings."""
    yield from (panel for panel in FILES[name]["panels"] if panel["type"] != "row")


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel.get("targets", [])]


def test_the_committed_files_are_what_the_description_builds() -> None:
    built = documents()
    assert built.keys() == FILES.keys()
    for name, text in built.items():
        assert (FOLDER / name).read_text() == text, "run `python -m docker.grafana.source`"


def test_the_five_dashboards() -> None:
    titles = [one["title"].removeprefix("Attribution: ") for one in FILES.values()]
    assert sorted(titles) == ["Engine", "Models", "One job", "Service", "Trust"]
    assert len({one["uid"] for one in FILES.values()}) == 5


@each_file
def test_grafanas_own_types_read_it_and_lose_nothing(name: str) -> None:
    """The types are generated from Grafana's schema."""
    given = json.loads((FOLDER / name).read_text())
    read = Dashboard.from_json(given)
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    if name == "one-job.json":  # a query of a plugin has a form of its own
        for panel in [*again["panels"], *given["panels"]]:
            panel.pop("targets", None)
    assert again == given


@each_file
def test_every_panel_says_what_it_shows_from_what_and_what_to_do(name: str) -> None:
    for panel in panels(name):
        shows, _, rest = panel["description"].partition(" Source: ")
        source, _, bad = rest.partition(" When it is bad: ")
        assert shows.endswith("."), panel["title"]
        assert source, panel["title"]
        assert bad.endswith("."), panel["title"]


@each_file
def test_panels_have_places_and_numbers_of_their_own(name: str) -> None:
    every = FILES[name]["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    for panel in every:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= 24 - place["w"], panel["title"]
    for one, other in combinations([panel["gridPos"] for panel in every], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", OF_PROMETHEUS)
def test_nothing_to_show_reads_no_traffic(name: str) -> None:
    for panel in panels(name):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"] == NO_TRAFFIC
        (mapping,) = defaults["mappings"]
        assert (mapping["options"]["match"], mapping["options"]["result"]["text"]) == ("null+nan", NO_TRAFFIC)


@pytest.mark.parametrize("name", OF_PROMETHEUS)
def test_data_sources_and_models_are_variables(name: str) -> None:
    variables = [one["name"] for one in FILES[name]["templating"]["list"]]
    assert variables == ["datasource", "model"]
    for panel in panels(name):
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


@pytest.mark.parametrize("name", OF_PROMETHEUS)
def test_queries_ask_for_metrics_and_labels_that_exist(name: str) -> None:
    for panel in panels(name):
        for expression in expressions(panel):
            metrics = set(re.findall(r"\battribution_\w+", expression))
            assert metrics, panel["title"]
            known: set[str] = {"le"}
            for metric in metrics:
                definition = names.ALL.get(metric) or names.ALL[SUFFIX.sub("", metric)]
                assert definition.name in panel["description"]
                known |= set(definition.labels)
            used = {label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(", ")}
            used |= set(re.findall(r"(\w+)=~?\"", expression))
            assert used <= known, panel["title"]
            assert "instance" not in expression


def test_several_gateways_are_summed_and_the_store_counts_once() -> None:
    assert rate(names.HTTP_REQUESTS, "status") == (
        "sum by (status) (rate(attribution_http_requests_total[$__rate_interval]))"
    )
    assert value(names.QUEUE_JOBS, "model") == (
        'sum by (model) (max by (model) (attribution_queue_jobs{model=~"$model"}))'
    )
    assert value(names.WORKERS) == "sum(max(attribution_workers))"
    assert mean(names.RESULT_BYTES).count("max by (model, method) (rate(") == 2


def test_descriptions_name_alerts_of_the_runbook_and_the_runbook_names_panels() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    alerts = set(re.findall(r"^## (\S+)$", runbook, flags=re.MULTILINE))
    titles = {(FILES[name]["title"].removeprefix("Attribution: "), p["title"]) for name in FILES for p in panels(name)}
    for name in FILES:
        for panel in panels(name):
            assert set(re.findall(r"\bAttribution[A-Z]\w+", panel["description"])) <= alerts, panel["title"]
    named = set(re.findall(r"\*(Service|Engine|Trust|Models) → ([^*]+)\*", runbook))
    assert len(named) > 8
    assert named <= titles


def test_every_metric_but_that_of_an_alert_is_on_a_dashboard() -> None:
    shown = {
        SUFFIX.sub("", metric)
        for name in OF_PROMETHEUS
        for panel in panels(name)
        for expression in expressions(panel)
        for metric in re.findall(r"\battribution_\w+", expression)
    }
    assert names.ALL.keys() - shown == {names.STORE_UP.name}


def test_the_small_pictures_are_drawn_with_parameters_that_exist() -> None:
    query = re.search(r"\?([\w=&]+)\"", one_job.RECENT)
    assert query is not None
    assert dict(parse_qsl(query[1])) == {"caption": "false", "size": "128"}
    assert OverlayOptions.model_fields.keys() >= {"caption", "size"}


def test_queries_of_one_job_ask_the_service_for_what_it_has() -> None:
    urls = [target["url"] for panel in panels("one-job.json") for target in panel.get("targets", [])]
    assert urls == [
        "${gateway}/jobs/${job}",
        "${gateway}/jobs/${job}/result",
        "${gateway}/jobs?status=succeeded&limit=20",
    ]
