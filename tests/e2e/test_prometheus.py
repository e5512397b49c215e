"""Every query of every panel and alert, run by a real Prometheus on a real service.

It has two gateways and mixed load, a killed worker, a model that fails to load, and a full queue.
"""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.prometheus import RULES, Prometheus
from tests.e2e.toy_repository import write_repository
from tests.eventually import until
from tests.paths import ROOT
from tests.soak.cluster import Cluster
from tests.soak.model_folders import COLUMNS
from tests.soak.plan import plan_jobs

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
DASHBOARDS = ROOT / "docker" / "grafana" / "dashboards"
VARIABLES = {"$__rate_interval": "1m", "$model": ".*"}  # as Grafana fills them in
SELECTOR = re.compile(r"\b(?:attribution_\w+|up)(?:\{[^}]*\})?")
SETTINGS = {
    "ATTRIBUTION_LEASE_MS": "2000",
    "ATTRIBUTION_QUEUE_DEPTH": "12",
    "ATTRIBUTION_RESULT_TTL_S": "3600",
    "ATTRIBUTION_BATCH_ROWS": "16",
}
FEATURES = dict.fromkeys(COLUMNS, 1.0)
QUALITY: dict[str, Any] = {
    "model": "table",
    "input": {"features": FEATURES},
    "method": {"name": "integrated_gradients", "n_steps": 12},
    "quality": ["infidelity", "sensitivity_max"],
}
MONITOR = {"model": "table", "method": "input_x_gradient", "reference": "first:50", "window": 50}
ROWS: dict[str, Any] = {  # examples of one job, each of which the monitor counts
    "model": "table",
    "input": {
        "features": [{name: float(row % 7 - column) for column, name in enumerate(COLUMNS)} for row in range(60)]
    },
    "method": "input_x_gradient",
}
LONG: dict[str, Any] = {  # some 20 ms for each pass of 16 rows
    "model": "slow",
    "input": {"tensor": {"shape": [1, 4], "data": [1.0, -1.0, 0.5, 2.0]}},
    "method": {"name": "integrated_gradients", "n_steps": 2000},
    "target": 1,
    "priority": "batch",
}
BROKEN = {**LONG, "model": "broken"}


def queries() -> dict[str, list[str]]:
    """The queries of each panel, with Grafana's variables filled in."""
    found = {}
    for path in sorted(DASHBOARDS.iterdir()):
        for panel in json.loads(path.read_text())["panels"]:
            texts = [target["expr"] for target in panel.get("targets", []) if "expr" in target]
            for name, value in VARIABLES.items():
                texts = [text.replace(name, value) for text in texts]
            if texts:
                found[f"{path.stem}: {panel['title']}"] = texts
    return found


def selectors() -> dict[str, list[str]]:
    """What each alert looks at, without its condition, which must not hold here for most."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: SELECTOR.findall(rule["expr"]) for group in groups for rule in group["rules"]}


@asynccontextmanager
async def mixed_load(urls: list[str]) -> AsyncIterator[None]:
    """Jobs of every model and many methods, one after the other at each gateway, for as long as the body runs."""

    async def send(url: str, seed: int) -> None:
        bodies = [plan.body for plan in plan_jobs(seed, 40, kills=0)]
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            for index, body in enumerate(cycle([*bodies, QUALITY])):
                fresh = {"Cache-Control": "no-store"} if index % 3 else {}
                sent = QUALITY if index % 8 == 0 else body
                with suppress(httpx.TransportError):
                    await client.post("/explain", json=sent, params={"wait": 20}, headers=fresh)

    tasks = [asyncio.create_task(send(url, seed)) for seed, url in enumerate(urls, start=1)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def kill_a_working_worker(cluster: Cluster, client: httpx.AsyncClient) -> None:
    """SIGKILL to the workers while a job runs; the job is started again."""
    job = (await client.post("/explain", json=LONG, headers={"Cache-Control": "no-store"})).json()["links"]["self"]
    await until("the job runs", lambda: has_status(client, job, {"running"}))
    for worker in cluster.workers:
        worker.send(signal.SIGKILL)
    await until("the job ends", lambda: has_status(client, job, {"succeeded"}))


async def watch_drift(client: httpx.AsyncClient) -> None:
    """A monitor whose first window is full."""
    assert (await client.put("/monitors/tables", json=MONITOR)).status_code == httpx.codes.CREATED

    async def is_watching() -> bool:
        await client.post("/explain", json=ROWS, params={"wait": 20}, headers={"Cache-Control": "no-store"})
        return bool((await client.get("/monitors/tables")).json()["state"] == "watching")

    await until("the monitor watches", is_watching)


async def has_status(client: httpx.AsyncClient, job: str, statuses: set[str]) -> bool:
    return (await client.get(job)).json()["status"] in statuses


async def fill_the_queue(client: httpx.AsyncClient) -> None:
    """More jobs than may wait: some are refused. Those that were accepted are cancelled."""
    fresh = {"Cache-Control": "no-store"}
    sent = await asyncio.gather(*(client.post("/explain", json=LONG, headers=fresh) for _ in range(24)))
    assert {answer.status_code for answer in sent} == {202, 429}
    for answer in sent:
        if answer.status_code == httpx.codes.ACCEPTED:
            await client.delete(answer.json()["links"]["self"])


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[tuple[Cluster, Prometheus, httpx.AsyncClient]]:
    cluster = Cluster(folder, gateways=2, workers=2, variables=SETTINGS)
    write_repository(folder / "models")
    async with (
        Prometheus(folder / "prometheus", cluster.urls) as prometheus,
        cluster,
        httpx.AsyncClient(base_url=cluster.urls[0], timeout=60, trust_env=False) as client,
    ):
        yield cluster, prometheus, client


async def test_every_query_of_panels_and_alerts_has_data(tmp_path: Path) -> None:
    async with everything(tmp_path / "service") as (cluster, prometheus, client):
        assert (await client.post("/explain", json=BROKEN)).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert not await prometheus.values("attribution_no_such_metric")
        await kill_a_working_worker(cluster, client)
        await fill_the_queue(client)
        await watch_drift(client)
        async with mixed_load(cluster.urls):
            watched = [*queries().items(), *selectors().items()]
            async with asyncio.TaskGroup() as group:  # all at once: the whole lasts as long as the last of them
                for title, texts in watched:
                    group.create_task(all_have_values(prometheus, title, texts))
                group.create_task(the_variable_lists_models(prometheus))
        await the_store_counts_once(prometheus, client)
        await faults_are_seen(prometheus)


async def all_have_values(prometheus: Prometheus, title: str, texts: list[str]) -> None:
    for text in texts:
        await until(f"{title}: {text}", partial(has_values, prometheus, text))


async def has_values(prometheus: Prometheus, query: str) -> bool:
    return bool(await prometheus.values(query))


async def the_store_counts_once(prometheus: Prometheus, client: httpx.AsyncClient) -> None:
    """The joined counter is the number of jobs; a plain sum over both gateways is twice that."""
    ended = 'attribution_jobs_ended_total{status="succeeded"}'

    async def is_right() -> bool:
        succeeded = len(await listed(client, "succeeded"))
        joined = await prometheus.number(f"sum(max by (model, priority, status, code) ({ended}))")
        return succeeded > 20 and joined == succeeded and await prometheus.number(f"sum({ended})") == 2 * succeeded

    await until("the number of jobs that succeeded", is_right)
    passed = await prometheus.number(
        'sum(max by (model, method, priority) (attribution_job_stage_seconds_count{stage="total"}))'
    )
    assert 0 < passed <= len(await listed(client, "succeeded")), "jobs that were computed, not taken from others"


async def listed(client: httpx.AsyncClient, status: str) -> list[Any]:
    """All jobs of a status."""
    jobs: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        parameters = {"status": status, "limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/jobs", params=parameters)).json()
        jobs += page["jobs"]
        cursor = page["next"]
    return jobs


async def faults_are_seen(prometheus: Prometheus) -> None:
    """What was done to the service is in its metrics, and no rule is in error."""
    groups = (await prometheus.get("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == len(selectors())
    assert {rule["health"] for rule in rules} == {"ok"}, [rule.get("lastError") for rule in rules]
    assert await prometheus.number('max(attribution_model_status{status="failed", model="broken@1"})') == 1
    assert await prometheus.number('max(attribution_jobs_repeated_total{reason="lost", model="slow@1"})') >= 1
    assert await prometheus.number('sum(attribution_admissions_total{outcome="queue_full"})') >= 1
    assert await prometheus.number('max(attribution_jobs_ended_total{status="cancelled", priority="batch"})') >= 1
    assert await prometheus.number('max(attribution_drift{monitor="tables", statistic="ndcg"})') > 0.99
    states = {rule["name"]: rule["state"] for rule in rules}
    assert states["AttributionModelFailed"] in ("pending", "firing")
    assert states["AttributionGatewayDown"] == states["AttributionJobsLost"] == "inactive"
    assert states["AttributionDrift"] == "inactive"


async def the_variable_lists_models(prometheus: Prometheus) -> None:
    async def lists_all() -> bool:
        values = await prometheus.get("label/model/values", **{"match[]": "attribution_queue_jobs"})
        return set(values) >= {"table@1", "picture@1", "text@1"}

    await until("every model in the list of models", lists_all)
