"""The text of /metrics: its format by `Accept`, and the names, labels and help texts that operators rely on."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from broker import Backlog, JobStore, Pace, QueueLoad, StoreReport
from schemas.models import Residence
from schemas.statistics import JobCounters, MemoryCounters, ModelCounters
from schemas.telemetry import names
from service.monitoring.exposition import exposition
from service.monitoring.http_metrics import HttpMetrics
from service.monitoring.store_metrics import StoreState
from service.settings import GatewaySettings
from tests.service.conftest import client_of
from tests.service.keys import bearer, key, write_keys
from tests.service.monitoring.test_store_metrics import MODEL, pass_counters, worker
from tests.service.validation.refusals import row

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def label(name: str) -> str:
    """A value for a label besides `model`."""
    return {"priority": "batch", "status": "failed", "code": "stalled", "stage": "total", "reason": "lost"}.get(
        name, "x"
    )


def everything() -> StoreState:
    """A state that has a sample of every metric."""
    series = {}
    for one in names.ALL.values():
        text = " ".join([one.name, *(label(name) for name in one.labels if name != "model")])
        series |= {f"{text} 0.5": "1", f"{text} 0.5 exemplar": f"{TRACE} 0.4 1.5", text: "1"}
    memory = MemoryCounters(loads_total=1, evictions_total=0, model_bytes=9, last_used_timestamp_seconds=5.0)
    counters = ModelCounters(jobs=JobCounters(), passes=pass_counters(), memory=memory)
    worker_info = worker("a", counters, Residence(worker="a", status="ready", bytes=1))
    waiting = [Backlog(MODEL, "default", 1.5, Pace(2.0, measured=True))]
    report = StoreReport({MODEL: QueueLoad(1, 2, 3.0)}, {MODEL: series}, 1, 2, {"ci/tables": {"ndcg": 0.99}}, waiting)
    return StoreState([worker_info], report)


def http_metrics() -> HttpMetrics:
    metrics = HttpMetrics()
    metrics.observe("/explain", "POST", 202, 0.1)
    with metrics.admitting("ci"):
        pass
    metrics._submitted.labels("m@1", "saliency", "batch", "created").inc()
    return metrics


@pytest.mark.parametrize(("accept", "parse"), [("", parse_text), (OPENMETRICS, parse_openmetrics)])
def test_every_metric_is_there_with_its_labels_and_its_help(accept: str, parse: object) -> None:
    text = exposition(http_metrics().registry, everything(), accept).body.decode()
    found = {}
    for family in parse(text):  # type: ignore[operator]
        suffix = "_total" if family.type == "counter" else ""
        labels = {name for one in family.samples for name in one.labels} - {"le"}
        found[family.name.removesuffix("_total") + suffix] = (family.type, labels, family.documentation)
    assert found == {one.name: (one.kind, set(one.labels), one.help) for one in names.ALL.values()}


def test_exemplars_stand_in_openmetrics_alone() -> None:
    registry, state = http_metrics().registry, everything()
    plain, openmetrics = (exposition(registry, state, accept).body.decode() for accept in ("", OPENMETRICS))
    assert f'# {{trace_id="{TRACE}"}} 0.4' in openmetrics
    assert openmetrics.endswith("# EOF\n")
    assert TRACE not in plain


def test_the_names_and_labels_that_operators_rely_on() -> None:
    """A name that changes breaks dashboards and alerts of others: then this file changes too, and CHANGELOG.md."""
    pinned = (Path(__file__).parent / "pinned_metrics.txt").read_text().splitlines()
    assert [f"{one.kind} {one.name} {' '.join(one.labels)}".rstrip() for one in names.ALL.values()] == pinned


def test_names_follow_the_conventions() -> None:
    for one in names.ALL.values():
        assert one.name.startswith("attribution_")
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert one.help.endswith(".")
        assert "\n" not in one.help
        assert one.buckets == tuple(sorted(one.buckets))
        assert bool(one.buckets) == (one.kind == "histogram")
        assert not {"millis", "ms", "kb", "mb", "percent"} & set(one.name.split("_"))


@pytest.mark.anyio
@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "text/plain; version=0.0.4"),
        ("text/plain", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        (f"{OPENMETRICS};q=0.5,text/plain;version=0.0.4;q=0.2", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
    ],
)
async def test_the_format_that_the_client_accepts(client: httpx.AsyncClient, accept: str | None, media: str) -> None:
    await client.post("/explain", json=row())
    client.headers.pop("accept", None)
    response = await client.get("/metrics", headers={"accept": accept} if accept else {})
    assert response.headers["content-type"].startswith(media)
    parse = parse_openmetrics if "openmetrics" in media else parse_text
    assert any(family.name == "attribution_queue_jobs" for family in parse(response.text))


@pytest.mark.anyio
@pytest.mark.usefixtures("idle_worker")
async def test_admissions_by_the_name_of_the_key(store: JobStore, tmp_path: Path) -> None:
    keys = write_keys(
        tmp_path,
        key("ci", "one", rows_per_minute=1),
        key("app", "two"),
        key("watcher", "three", scopes=["metrics"]),
    )
    async with client_of(store, GatewaySettings(keys=keys)) as client:
        for secret, status in (("one", 202), ("one", 429), ("two", 202), ("two", 202), ("two", 429), ("none", 401)):
            response = await client.post("/explain", json=row(), headers=bearer(secret) | {"Cache-Control": "no-cache"})
            assert response.status_code == status, response.text
        await client.post("/explain", json=row(target="nobody"), headers=bearer("two"))
        text = (await client.get("/metrics", headers=bearer("three"))).text
    (family,) = (one for one in parse_text(text) if one.name == "attribution_admissions")
    found = {(one.labels["key"], one.labels["outcome"]): one.value for one in family.samples if "_total" in one.name}
    assert found == {
        ("ci", "accepted"): 1,
        ("ci", "key_limit_reached"): 1,
        ("app", "accepted"): 2,
        ("app", "queue_full"): 1,
    }
