"""Every example renders to objects that Kubernetes, KEDA, the Prometheus operator and the Gateway API take."""

import re
from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.chart import (
    CHART,
    DEFAULTS,
    EXAMPLES,
    containers,
    files,
    helm_python,
    loaded,
    merged,
    objects,
    of_example,
    of_kind,
)
from tests.deploy.definitions import VALIDATORS, faults

OLDEST, NEWEST = "1.25", "1.37"
WITH_IMAGE_VOLUMES = "1.33"
MAX_NAME = 63
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
each_example = pytest.mark.parametrize("example", EXAMPLES)
VARIANTS: dict[str, dict[str, Any]] = {
    "everything-on": {
        "fullnameOverride": "x" * 40,
        "imagePullSecrets": ["registry"],
        "store": {
            "existingSecret": "store",
            "ca": {"existingSecret": "ca"},
            "clientCertificate": {"existingSecret": "client"},
        },
        "keys": {"existingSecret": "keys", "metrics": {"existingSecret": "metrics"}},
        "stores": {"existingSecret": "stores"},
        "gateway": {
            "hosts": ["a.example.com"],
            "ingress": {"enabled": True, "hosts": ["a.example.com"]},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["a.example.com"]},
            "extraEnv": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4318"}],
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"a": "b"},
            "tolerations": [{"key": "a", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "serving",
            "settings": {"cache": False, "queue_bytes": 1 << 30, "max_wait_s": 0.5},
        },
        "groups": {
            "g" * 15: {
                "models": ["a@1", "a@2", "b@1"],
                "gpu": {"count": 1},
                "measurements": {"claimName": "measured"},
                "modelRepository": {"persistentVolumeClaim": {"claimName": "models", "subPath": "a"}},
                "storeSecret": "another",
                "settings": {"threads": 3},
                "extraEnv": [{"name": "A", "value": "b"}],
                "affinity": {"nodeAffinity": {}},
                "priorityClassName": "batch",
            }
        },
        "monitoring": {name: {"enabled": True} for name in ("serviceMonitor", "alerts", "dashboards")},
    },
    "prometheus": {
        "store": {"existingSecret": "store"},
        "scaling": {
            "scaler": "prometheus",
            "prometheusAddress": "http://prometheus.monitoring.svc:9090",
            "prometheusAuthentication": "prometheus",
        },
        "groups": {"one": {"models": ["a@1", "b@1"], "modelRepository": {"source": "image"}}},
        "networkPolicy": {"enabled": False},
    },
    "kept-valkey": {
        "valkey": {"enabled": True, "password": "twelve-chars", "newClaim": {"size": "8Gi"}},
        "groups": {"one": {"scaling": {"enabled": False}, "modelRepository": {"source": "image"}}},
    },
}
CASES = {**EXAMPLES, **VARIANTS}
each_case = pytest.mark.parametrize("case", CASES)


def uses_image_volume(found: dict[str, Any]) -> bool:
    pod = found.get("spec", {}).get("template", {}).get("spec", {})
    return any("image" in volume for volume in pod.get("volumes", []))


@each_case
def test_every_object_is_valid_by_its_own_schema(case: str) -> None:
    found = objects(CASES[case])
    assert found
    for one in found:
        if (one["apiVersion"], one["kind"]) in VALIDATORS:
            assert faults(one) == []
        else:
            oldest = WITH_IMAGE_VOLUMES if uses_image_volume(one) else OLDEST
            for version in (oldest, NEWEST):
                kubernetes_validate.validate(one, version, strict=True)


def test_the_cases_have_every_kind_that_the_chart_has() -> None:
    kinds = {one["kind"] for case in CASES.values() for one in objects(case)}
    text = "".join(path.read_text() for path in (CHART / "templates").rglob("*.yaml"))
    assert kinds == set(re.findall(r"^kind: (\w+)", text, flags=re.MULTILINE))


def test_a_wrong_object_is_noticed() -> None:
    (scaled, *_) = of_kind(of_example("one-gpu-node"), "ScaledObject").values()
    assert faults(scaled) == []
    scaled["spec"]["minReplicas"] = scaled["spec"].pop("minReplicaCount")
    assert "minReplicas" in faults(scaled)[0]
    (deployment, *_) = of_kind(of_example("one-gpu-node"), "Deployment").values()
    deployment["spec"]["template"]["spec"]["containers"][0]["enviroment"] = []
    with pytest.raises(kubernetes_validate.utils.ValidationError):
        kubernetes_validate.validate(deployment, OLDEST, strict=True)


@each_case
def test_rendering_twice_gives_the_same_bytes(case: str) -> None:
    assert files(CASES[case]) == files(CASES[case])
    with helm_python.Chart.load(str(CHART)) as again:
        assert again.render(CASES[case], name="attribution", namespace="models") == files(CASES[case])


@each_example
def test_the_packaged_chart_renders_the_same(example: str, tmp_path: Any) -> None:
    """The folder has links to files of this repository; a package holds what they lead to."""
    helm_python.package(str(CHART), destination=str(tmp_path))
    (package,) = tmp_path.iterdir()
    with helm_python.Chart.load(str(package)) as chart:
        assert chart.render(EXAMPLES[example], name="attribution", namespace="models") == files(EXAMPLES[example])


@each_example
def test_helm_has_nothing_to_complain_about(example: str) -> None:
    report = helm_python.lint(str(CHART), EXAMPLES[example], strict=True)
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@each_case
@pytest.mark.parametrize("release", ["attribution", "r" * 53])
def test_names_fit_and_are_unique(case: str, release: str) -> None:
    found = objects(CASES[case], release)
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(names)) == len(names)
    for _, name in names:
        assert len(name) <= MAX_NAME, name
        assert NAME.fullmatch(name), name
    for one in found:
        for value in one["metadata"]["labels"].values():
            assert len(value) <= MAX_NAME


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@each_case
def test_selectors_match_their_own_pods_and_no_others(case: str) -> None:
    found = objects(CASES[case])
    deployments = of_kind(found, "Deployment")
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in deployments.items()}
    for name, one in deployments.items():
        selector = one["spec"]["selector"]["matchLabels"]
        assert [other for other in labels if matches(selector, labels[other])] == [name]
        for spread in one["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
            assert spread["labelSelector"]["matchLabels"] == selector
    for service in of_kind(found, "Service").values():
        (target,) = [name for name in labels if matches(service["spec"]["selector"], labels[name])]
        (port,) = service["spec"]["ports"]
        exposed = deployments[target]["spec"]["template"]["spec"]["containers"][0]["ports"]
        assert port["targetPort"] in {one["name"] for one in exposed}
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in of_kind(found, kind).values():
            assert scaler["spec"]["scaleTargetRef"]["name"] in deployments
    for policy in of_kind(found, "NetworkPolicy").values():
        assert [name for name in labels if matches(policy["spec"]["podSelector"]["matchLabels"], labels[name])]
    for monitor in of_kind(found, "ServiceMonitor").values():
        services = of_kind(found, "Service").values()
        (target,) = [
            one for one in services if matches(monitor["spec"]["selector"]["matchLabels"], one["metadata"]["labels"])
        ]
        assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in target["spec"]["ports"]}


@each_case
def test_every_mount_has_a_volume_and_every_volume_a_mount(case: str) -> None:
    found = objects(CASES[case])
    claims = of_kind(found, "PersistentVolumeClaim")
    used: set[str] = set()
    for name, one in of_kind(found, "Deployment").items():
        pod = one["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounted = {mount["name"] for container in containers([one]) for mount in container.spec["volumeMounts"]}
        assert mounted == volumes.keys(), name
        used |= {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in volumes.values()
            if "persistentVolumeClaim" in volume
        }
    assert claims.keys() <= used


@each_case
def test_what_scales_has_no_fixed_number(case: str) -> None:
    """Else each upgrade would reset it. Kubernetes makes one of a Deployment without a number, when it is new."""
    found = objects(CASES[case])
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
        for one in of_kind(found, kind).values()
    }
    for name, one in of_kind(found, "Deployment").items():
        assert ("replicas" in one["spec"]) == (name not in scaled)


def test_the_examples_change_what_they_name() -> None:
    """`trying-out` needs neither KEDA nor other operators."""
    foreign = {one["kind"] for one in of_example("trying-out")} & {kind for _, kind in VALIDATORS}
    assert foreign == set()
    assert {one["kind"] for one in of_example("one-gpu-node")} >= {"ScaledObject", "Ingress", "PrometheusRule"}
    assert {one["kind"] for one in of_example("several-groups")} >= {"TriggerAuthentication", "HTTPRoute"}
    assert len(of_kind(of_example("several-groups"), "ScaledObject")) == len(EXAMPLES["several-groups"]["groups"])


def test_the_chart_is_the_version_of_the_application() -> None:
    project = re.search(r'^version = "(.+)"', (CHART.parents[2] / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert project
    assert loaded().metadata["appVersion"] == project[1]
    assert merged(DEFAULTS, {"log": {"level": "debug"}})["log"] == {"level": "debug", "format": "json"}
