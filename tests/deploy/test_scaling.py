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

from schemas.telemetry import names
from service.settings import GatewaySettings
from tests.deploy.chart import EXAMPLES, NAMESPACE, merged, objects, of_example, of_kind
from tests.deploy.test_rendered import CASES, VARIANTS

SELECTOR = re.compile(r"([a-z_]+)\{(.*)\}")
LABEL = re.compile(r'([a-z_]+)="([^"\\]*)"(?:,|$)')
TEXT = """\
# HELP attribution_backlog_seconds Time that waiting and running jobs take.
# TYPE attribution_backlog_seconds gauge
attribution_backlog_seconds{model="a@1",group="pictures"} 40
attribution_backlog_seconds{model="efficientnet-lite0@1",group="gpu"} 30
attribution_backlog_seconds{model="efficientnet-lite0@1",group="pictures"} 12.5
attribution_backlog_seconds{model="efficientnet-lite2@1",group="pictures"} 80
"""


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


def test_each_model_of_a_group_is_a_trigger() -> None:
    for name, values in {"one-gpu-node": EXAMPLES["one-gpu-node"], "several": EXAMPLES["several-groups"]}.items():
        for group, spec in scaled(values).items():
            selectors = [trigger["metadata"]["valueLocation"] for trigger in spec["triggers"]]
            expected = [
                (names.BACKLOG.name, {"model": model, "group": group}) for model in values["groups"][group]["models"]
            ]
            assert [parsed(selector) for selector in selectors] == expected, name


def test_a_group_scales_by_the_sum_of_its_models() -> None:
    spec = scaled(EXAMPLES["several-groups"])["pictures"]
    values = {trigger["name"]: read(trigger["metadata"]["valueLocation"], TEXT) for trigger in spec["triggers"]}
    assert values == {"model_0": [12.5], "model_1": [80.0]}
    modifiers = spec["advanced"]["scalingModifiers"]
    assert eval(modifiers["formula"], {}, {name: value for name, (value,) in values.items()}) == 92.5
    assert modifiers["metricType"] == "AverageValue"
    assert modifiers["target"].isdecimal()  # KEDA takes the fallback only with a whole number
    assert {trigger["metadata"]["targetValue"] for trigger in spec["triggers"]} == {modifiers["target"]}


def test_a_group_of_one_model_needs_no_formula() -> None:
    spec = scaled(EXAMPLES["several-groups"])["tables"]
    assert "scalingModifiers" not in spec["advanced"]
    (trigger,) = spec["triggers"]
    assert (trigger["metadata"]["targetValue"], trigger["metricType"]) == ("10", "AverageValue")


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
    modifiers = spec["advanced"]["scalingModifiers"]
    assert (modifiers["target"], modifiers["activationTarget"]) == ("100000000", "0.5")


def test_prometheus_sums_the_models_of_a_group_of_this_release() -> None:
    (spec,) = scaled(VARIANTS["prometheus"]).values()
    (trigger,) = spec["triggers"]
    labels = 'namespace="models",service="attribution-gateway",group="one"'
    query = f"sum(max by (model) (attribution_backlog_seconds{{{labels}}}))"
    assert trigger["metadata"]["query"] == query
    assert trigger["metadata"]["ignoreNullValues"] == "false"  # no answer is no reason to stop workers
    assert trigger["authenticationRef"] == {"name": "prometheus"}
    assert "scalingModifiers" not in spec["advanced"]


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
