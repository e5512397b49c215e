"""What `values.schema.json` takes and refuses, and the table of values in the chart's README."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from docs.chart_values import END, README, START, table, values
from service.settings import GatewaySettings
from tests.deploy.chart import CHART, DEFAULTS, EXAMPLES, files, helm_python, loaded, merged, objects, of_kind
from workers.settings import WorkerSettings

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
OF_KUBERNETES = {"kubernetes", "texts", "quantities"}  # objects whose names Kubernetes or the operator chooses
STORE = {"redis_url", "redis_ca", "redis_cert", "redis_key", "namespace", "result_ttl_s"}
OF_THE_CHART = {  # settings that values of their own, or the chart itself, give
    "gatewaySettings": {*STORE, "host", "hosts", "port", "keys", "stores"},
    "workerSettings": {
        *STORE,
        "models",
        "device",
        "measurements",
        "worker_id",
        "replaces",
        "grace_s",
        "workers_per_device",
        "serve",
        "group",
    },
}
ONE = EXAMPLES["one-gpu-node"]


def parts(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of an object, by its path."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            yield from parts(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from parts(value, f"{path}/{index}")


def refused(change: dict[str, Any]) -> str:
    with pytest.raises(helm_python.HelmError) as caught:
        files(merged(ONE, change))
    return str(caught.value)


def test_no_object_takes_names_that_it_does_not_know() -> None:
    for path, schema in parts(SCHEMA):
        last = path.split("/")[-1]
        if last in OF_KUBERNETES or path in ("/properties/global", "/properties/groups", "/$defs/kubernetesList/items"):
            continue
        assert schema.get("additionalProperties") is False, path


@pytest.mark.parametrize(
    "change",
    [
        {"gatway": {}},
        {"gateway": {"replica": 3}},
        {"gateway": {"settings": {"queue_dept": 1}}},
        {"gateway": {"settings": {"redis_url": "redis://elsewhere"}}},
        {"gateway": {"ingress": {"host": "a"}}},
        {"gateway": {"httpRoute": {"parentRefs": [{"name": "a", "group": "b"}]}}},
        {"groups": {"gpu": {"model": ["a@1"]}}},
        {"groups": {"gpu": {"settings": {"batch_row": 1}}}},
        {"groups": {"gpu": {"modelRepository": {"s3": {}}}}},
        {"groupDefaults": {"gpus": 1}},
        {"valkey": {"replicas": 3}},
        {"monitoring": {"dashboard": {}}},
    ],
    ids=str,
)
def test_unknown_values_are_refused(change: dict[str, Any]) -> None:
    assert "additional properties" in refused(change)


@pytest.mark.parametrize(
    "change",
    [
        {"gateway": {"autoscaling": {"cpuPercent": 0}}},
        {"gateway": {"preStopSeconds": "5"}},
        {"groups": {"gpu": {"gpu": {"count": 2}}}},
        {"groups": {"gpu": {"models": ["efficientnet-lite0@"]}}},
        {"groups": {"gpu": {"models": ['a@1"} or {x="']}}},
        {"groups": {"GPU": {}}},
        {"groups": {"g" * 16: {}}},
        {"groups": {"gpu": {"modelRepository": {"source": "git"}}}},
        {"valkey": {"password": "short"}},
        {"valkey": {"password": "with:colons@and/slashes"}},
        {"scaling": {"scaler": "cpu"}},
        {"fullnameOverride": "Upper"},
    ],
    ids=str,
)
def test_wrong_values_are_refused(change: dict[str, Any]) -> None:
    assert "don't meet the specifications of the schema" in refused(change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"store": {"existingSecret": ""}}, "store.existingSecret: name a Secret"),
        ({"valkey": {"enabled": True, "password": "twelve-chars"}}, "set valkey.enabled=false"),
        ({"valkey": {"enabled": True}, "store": {"existingSecret": ""}}, "valkey.password: choose one"),
        ({"groups": {"gpu": {"scaling": {"minReplicas": 9}}}}, "groups.gpu.scaling.maxReplicas"),
        ({"scaling": {"scaler": "prometheus"}}, "scaling.prometheusAddress"),
        ({"keys": {"existingSecret": "keys"}}, "keys.metrics.existingSecret"),
        ({"gateway": {"ingress": {"hosts": []}}}, "gateway.ingress.hosts"),
        ({"gateway": {"httpRoute": {"enabled": True}}}, "gateway.httpRoute.parentRefs"),
        ({"groups": {"gpu": {"modelRepository": {"persistentVolumeClaim": {"claimName": ""}}}}}, "claimName"),
        ({"groups": {"gpu": {"modelRepository": {"source": "imageVolume"}}}}, "imageVolume.reference"),
        ({"groups": {"gpu": {"modelRepository": {"source": "initContainer"}}}}, "needs an image and a command"),
        ({"groups": {"gpu": {"measurements": {"claimName": "a"}}}}, "claimName or newClaim"),
    ],
    ids=str,
)
def test_values_that_contradict_are_refused_with_a_reason(change: dict[str, Any], reason: str) -> None:
    assert reason in refused(change)


def test_a_release_needs_a_group() -> None:
    with pytest.raises(helm_python.HelmError, match="groups: name at least one"):
        files({"store": {"existingSecret": "store"}})


@pytest.mark.parametrize(
    ("part", "settings"), [("gatewaySettings", GatewaySettings), ("workerSettings", WorkerSettings)]
)
def test_the_settings_are_those_of_the_processes(part: str, settings: type[GatewaySettings | WorkerSettings]) -> None:
    offered = SCHEMA["$defs"][part]["properties"].keys()
    assert offered | OF_THE_CHART[part] == settings.model_fields.keys()
    assert not offered & OF_THE_CHART[part]


def test_the_defaults_are_valid_and_whole() -> None:
    loaded().validate_schema({})
    assert loaded().merge_values({}) == DEFAULTS
    group = SCHEMA["$defs"]["group"]["properties"]
    assert group.keys() == DEFAULTS["groupDefaults"].keys()


def test_a_group_overrides_defaults_with_false_zero_and_nothing() -> None:
    """Helm's merge of maps might take these for absent."""
    defaults = {"scaling": {"enabled": True}, "graceSeconds": 60, "tolerations": [{"key": "a", "operator": "Exists"}]}
    group = {"scaling": {"enabled": False}, "graceSeconds": 0, "tolerations": [], "spread": [], "replicas": 0}
    values = merged(ONE, {"groupDefaults": defaults, "groups": {"gpu": group}})
    found = objects(values)
    deployment = of_kind(found, "Deployment")["attribution-worker-gpu"]
    pod = deployment["spec"]["template"]["spec"]
    assert of_kind(found, "ScaledObject") == {}
    assert deployment["spec"]["replicas"] == 0
    assert pod["terminationGracePeriodSeconds"] == 20
    assert not pod.keys() & {"tolerations", "topologySpreadConstraints"}


def test_the_readme_has_the_table_of_values() -> None:
    before, _, rest = README.read_text().partition(START)
    inside, _, _ = rest.partition(END)
    assert before
    assert inside.strip() == table().strip(), "run `python docs/chart_values.py`"


def test_every_value_has_an_explanation() -> None:
    for path, default, text in values():
        assert text.endswith("."), f"{path} = {default}"


def test_large_numbers_stay_whole() -> None:
    """Helm reads numbers as floats, and would print 1.073741824e+09."""
    rendered = files(merged(ONE, {"gateway": {"settings": {"queue_bytes": 1 << 30, "max_wait_s": 0.5}}}))
    text = rendered["attribution/templates/gateway/deployment.yaml"]
    assert '"1073741824"' in text
    assert '"0.5"' in text
