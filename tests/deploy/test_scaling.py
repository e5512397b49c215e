"""What KEDA is told to scale by, read as its `metrics-api` scaler reads it.

In the format `prometheus` the scaler takes `valueLocation` for a selector of PromQL, compares its labels for equality
and takes the first sample that has them all (`pkg/scalers/metrics_api_scaler.go` of KEDA 2.20.2). So a selector must
leave one sample.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker import Backlog, Pace, StoreReport
from schemas.model_key import ModelKey
from schemas.telemetry import names
from service.monitoring.exposition import exposition
from service.monitoring.http_metrics import HttpMetrics
from service.monitoring.store_metrics import StoreState
from service.settings import GatewaySettings
from tests.deploy.chart import EXAMPLES, NAMESPACE, merged, objects, of_example, of_kind
from tests.deploy.test_rendered import CASES, VARIANTS

SELECTOR = re.compile(r"([a-z_]+)\{(.*)\}")
LABEL = re.compile(r'([a-z_]+)="([^"\\]*)"(?:,|$)')


def scaled(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The specs of all ScaledObjects, by group."""
    found = of_kind(objects(values), "ScaledObject").values()
    return {one["metadata"]["labels"]["attribution/group"]: one["spec"] for one in found}


def parsed(selector: str) -> tuple[str, dict[str, str]]:
    match = SELECTOR.fullmatch(selector)
    assert match
    labels = dict(LABEL.findall(match[2]))
    assert LABEL.sub("", match[2]) == ""
    return match[1], labels


def read(selector: str, text: str) -> list[float]:
    """Every sample that KEDA would take for the selector; it takes the first."""
    metric, labels = parsed(selector)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [one.value for one in samples if one.name == metric and labels.items() <= one.labels.items()]


def backlog(model: str, group: str, seconds: float) -> Backlog:
    return Backlog(ModelKey(model, "1"), group, seconds, Pace(100.0, measured=True))


def test_each_group_reads_its_own_number_of_what_gateways_export() -> None:
    """A group works on all of its models, so the number is their sum; models may be in several groups."""
    backlogs = [backlog("a", "pictures", 12.5), backlog("b", "pictures", 80), backlog("a", "texts-gpu", 2)]
    state = StoreState([], StoreReport({}, {}, 0, None, backlogs=backlogs))
    text = exposition(HttpMetrics().collector, state, "").body.decode()  # KEDA sends no `Accept`
    specs = scaled(EXAMPLES["several-groups"])
    selectors = {group: one["triggers"][0]["metadata"]["valueLocation"] for group, one in specs.items()}
    assert all(len(spec["triggers"]) == 1 for spec in specs.values())
    for group, selector in selectors.items():
        assert parsed(selector) == (names.GROUP_BACKLOG.name, {"group": group})
    assert set(names.GROUP_BACKLOG.labels) == {"group"}  # so a selector leaves one sample
    assert read(selectors["pictures"], text) == [92.5]
    assert read(selectors["texts-gpu"], text) == [2]
    assert read(selectors["tables"], text) == []  # not announced: an error for KEDA, and then the fallback


def test_the_target_is_for_each_worker() -> None:
    (trigger,) = scaled(EXAMPLES["several-groups"])["tables"]["triggers"]
    assert (trigger["metadata"]["targetValue"], trigger["metricType"]) == ("10", "AverageValue")


def test_the_target_is_that_of_all_processes_of_a_worker() -> None:
    """The backlog is in seconds of one process, and a worker of several does so many times as much."""
    several = merged(EXAMPLES["several-groups"], {"groups": {"tables": {"workersPerDevice": 3}}})
    (trigger,) = scaled(several)["tables"]["triggers"]
    assert trigger["metadata"]["targetValue"] == "30"


def test_the_address_is_that_of_the_gateways_and_they_answer_to_it() -> None:
    for example in ("one-gpu-node", "several-groups"):
        (service,) = [one for name, one in of_kind(of_example(example), "Service").items() if name.endswith("-gateway")]
        for spec in scaled(EXAMPLES[example]).values():
            for trigger in spec["triggers"]:
                url = urlsplit(trigger["metadata"]["url"])
                assert url.hostname == f"{service['metadata']['name']}.{NAMESPACE}.svc"
                assert url.port == service["spec"]["ports"][0]["port"]
                assert (trigger["metadata"]["format"], url.path) == ("prometheus", "/metrics")


def test_with_keys_keda_has_one() -> None:
    found = of_example("several-groups")
    (authentication,) = of_kind(found, "TriggerAuthentication").values()
    (secret,) = authentication["spec"]["secretTargetRef"]
    assert secret == {"parameter": "token", "name": "attribution-metrics-key", "key": "key"}
    for spec in scaled(EXAMPLES["several-groups"]).values():
        for trigger in spec["triggers"]:
            assert trigger["metadata"]["authMode"] == "bearer"
            assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    (monitor,) = of_kind(found, "ServiceMonitor").values()
    credentials = monitor["spec"]["endpoints"][0]["authorization"]["credentials"]
    assert credentials == {"name": secret["name"], "key": secret["key"]}
    for spec in scaled(EXAMPLES["one-gpu-node"]).values():
        assert all("authenticationRef" not in trigger for trigger in spec["triggers"])


def test_groups_sleep_unless_they_say_otherwise() -> None:
    specs = scaled(EXAMPLES["several-groups"])
    assert {group: spec["minReplicaCount"] for group, spec in specs.items()} == {
        "pictures": 0,
        "tables": 1,
        "texts-cpu": 0,
        "texts-gpu": 0,
    }
    assert specs["texts-gpu"]["triggers"][0]["metadata"]["activationTargetValue"] == "60"
    for spec in specs.values():
        assert spec["fallback"] == {"failureThreshold": 3, "replicas": 1, "behavior": "currentReplicasIfHigher"}
        assert spec["initialCooldownPeriod"] >= 600


def test_every_metric_value_is_text() -> None:
    for case in CASES.values():
        for spec in scaled(case).values():
            for trigger in spec["triggers"]:
                assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_fractions_of_a_second_and_large_numbers_are_kept() -> None:
    change = {"groups": {"gpu": {"scaling": {"activationSeconds": 0.5, "targetSeconds": 100_000_000}}}}
    (spec,) = scaled(merged(EXAMPLES["one-gpu-node"], change)).values()
    metadata = spec["triggers"][0]["metadata"]
    assert (metadata["targetValue"], metadata["activationTargetValue"]) == ("100000000", "0.5")


def test_prometheus_is_asked_for_the_group_of_this_release() -> None:
    (spec,) = scaled(VARIANTS["prometheus"]).values()
    (trigger,) = spec["triggers"]
    labels = 'namespace="models",service="attribution-gateway",group="one"'
    query = f"max(attribution_group_backlog_seconds{{{labels}}})"
    assert trigger["metadata"]["query"] == query
    assert trigger["metadata"]["ignoreNullValues"] == "false"  # no answer is no reason to stop workers
    assert trigger["authenticationRef"] == {"name": "prometheus"}


@pytest.mark.parametrize("example", ["one-gpu-node", "several-groups"])
def test_gateways_scale_by_a_share_of_what_they_request(example: str) -> None:
    found = of_example(example)
    (scaler,) = of_kind(found, "HorizontalPodAutoscaler").values()
    (budget,) = of_kind(found, "PodDisruptionBudget").values()
    gateway = of_kind(found, "Deployment")[scaler["spec"]["scaleTargetRef"]["name"]]
    assert "cpu" in gateway["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert scaler["spec"]["minReplicas"] >= 2  # one may be away
    assert budget["spec"]["selector"] == gateway["spec"]["selector"]
    assert (
        GatewaySettings.model_fields["port"].default
        == gateway["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
    )
