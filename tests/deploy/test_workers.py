"""The pods of workers and gateways: settings, probes, times to stop, models and measurements."""

from pathlib import Path
from typing import Any

import pytest

from broker.settings import PREFIX
from service.connections.server import GRACE_S, LEAVE_S
from service.settings import GatewaySettings
from tests.deploy.chart import DEFAULTS, EXAMPLES, Container, containers, environment, merged, objects, of_example
from tests.deploy.test_rendered import CASES
from workers.settings import WorkerSettings

OF_LOGS = {"LOG_LEVEL", "LOG_FORMAT"}
SETTINGS = {"gateway": GatewaySettings, "worker": WorkerSettings}
FILES = {  # what Secrets hold, by the setting that names the file
    "keys": "key = []\n",
    "stores": '[[store]]\nname = "texts"\nurl = "redis://texts:6379/0"\nmodels = ["a"]\n',
}
MARGIN_S = 20  # that docker-compose.yml gives a worker beyond its grace
OURS = [
    (name, container)
    for name in CASES
    for container in containers(objects(CASES[name]))
    if container.spec["name"] in SETTINGS
]
each_container = pytest.mark.parametrize("container", [one for _, one in OURS], ids=[f"{n}-{c}" for n, c in OURS])


def worker(values: dict[str, Any], group: str) -> Container:
    (found,) = [one for one in containers(objects(values)) if str(one) == f"attribution-worker-{group}/worker"]
    return found


@each_container
def test_every_variable_is_a_setting(container: Container) -> None:
    known = {field.upper() for field in SETTINGS[container.spec["name"]].model_fields} | OF_LOGS
    named = {name.removeprefix(PREFIX) for name in environment(container) if name.startswith(PREFIX)}
    assert named <= known


@each_container
def test_the_process_takes_its_variables(container: Container, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The settings of the rendered variables are read by the very classes that a pod reads them with."""
    stands_in = {"redis_url": "rediss://:secret@store:6379/0", "threads": "4"}
    for name, value in environment(container).items():
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        if isinstance(value, dict) or "$(" in value or field == "redis_url":
            value = stands_in.get(field, "127.0.0.1")  # noqa: PLW2901  # what a Secret or the cluster says
        elif value.startswith("/etc/attribution/"):
            file = tmp_path / Path(value).name
            file.write_text(FILES.get(field, "a certificate"))
            value = str(file)  # noqa: PLW2901
        elif field == "device":
            continue  # of a machine that this one is not
        monkeypatch.setenv(name, value)
    settings = SETTINGS[container.spec["name"]]()
    assert settings.namespace == "attribution"
    if isinstance(settings, WorkerSettings):
        assert settings.models == [Path("/models")]
        assert settings.measurements == Path("/var/lib/attribution")


def test_a_worker_stops_within_the_time_that_the_cluster_gives_it() -> None:
    for case in CASES.values():
        for container in containers(objects(case)):
            if container.spec["name"] == "worker":
                grace_s = float(environment(container)["ATTRIBUTION_GRACE_S"])
                assert container.pod["terminationGracePeriodSeconds"] == grace_s + MARGIN_S


def test_a_gateway_ends_its_requests_within_the_time_that_the_cluster_gives_it() -> None:
    for case in CASES.values():
        for container in containers(objects(case)):
            if container.spec["name"] == "gateway":
                pause = container.spec["lifecycle"]["preStop"]["exec"]["command"]
                assert pause[0] == "sleep"
                rest_s = container.pod["terminationGracePeriodSeconds"] - int(pause[1])
                assert rest_s > GRACE_S + LEAVE_S


@each_container
def test_probes_ask_the_process_itself(container: Container) -> None:
    probes = [container.spec[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]
    for probe in probes:
        if container.spec["name"] == "worker":
            assert probe["exec"]["command"] == ["attribution", "worker", "--health"]
            assert probe["timeoutSeconds"] >= 10  # the command starts an interpreter
        else:
            assert probe["httpGet"] == {"path": "/healthz", "port": "http"}
    start = probes[0]
    if container.spec["name"] == "worker":
        start_s = DEFAULTS["groupDefaults"]["startSeconds"]
        assert start["failureThreshold"] * start["periodSeconds"] >= start_s


def test_the_processes_of_a_worker() -> None:
    name = "ATTRIBUTION_WORKERS_PER_DEVICE"
    ((group, _),) = EXAMPLES["one-gpu-node"]["groups"].items()
    assert environment(worker(EXAMPLES["one-gpu-node"], group))[name] == "1"
    two = merged(EXAMPLES["one-gpu-node"], {"groups": {group: {"workersPerDevice": 2}}})
    assert environment(worker(two, group))[name] == "2"


def test_threads_follow_the_cpus_of_the_container() -> None:
    def source(resources: dict[str, Any]) -> str:
        values = merged(EXAMPLES["one-gpu-node"], {"groupDefaults": {"resources": resources}, "groups": {"gpu": None}})
        values["groups"] = {"gpu": {"models": ["a@1"], "modelRepository": {"source": "image"}}}
        found = environment(worker(values, "gpu"))["ATTRIBUTION_THREADS"]["resourceFieldRef"]
        assert found["containerName"] == "worker"
        assert found["divisor"] == "1"
        return str(found["resource"])

    assert source({"requests": {"cpu": "3"}}) == "requests.cpu"
    assert source({"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}) == "limits.cpu"
    assert (
        environment(worker(CASES["everything-on"] | {"fullnameOverride": "attribution"}, "g" * 15))[
            "ATTRIBUTION_THREADS"
        ]
        == "3"
    )


def test_a_group_with_a_gpu_asks_for_one_and_computes_on_it() -> None:
    gpu = worker(EXAMPLES["several-groups"], "pictures")
    cpu = worker(EXAMPLES["several-groups"], "tables")
    assert gpu.spec["resources"]["limits"]["nvidia.com/gpu"] == gpu.spec["resources"]["requests"]["nvidia.com/gpu"] == 1
    assert environment(gpu)["ATTRIBUTION_DEVICE"] == "cuda:0"
    assert gpu.pod["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert gpu.pod["runtimeClassName"] == "nvidia"
    assert "nvidia.com/gpu" not in cpu.spec["resources"]["limits"]
    assert environment(cpu)["ATTRIBUTION_DEVICE"] == "cpu"


def test_a_group_serves_the_models_that_it_names() -> None:
    container = worker(CASES["everything-on"] | {"fullnameOverride": "attribution"}, "g" * 15)
    assert environment(container)["ATTRIBUTION_SERVE"] == "a@1,a@2,b@1"
    assert environment(container)["ATTRIBUTION_GROUP"] == "g" * 15
    assert "ATTRIBUTION_SERVE" not in environment(worker(EXAMPLES["trying-out"], "cpu"))


def test_models_come_from_where_the_group_says() -> None:
    def models(group: str) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
        found = worker(EXAMPLES["several-groups"] if group != "gpu" else EXAMPLES["one-gpu-node"], group)
        (volume,) = [one for one in found.pod["volumes"] if one["name"] == "models"]
        (mount,) = [one for one in found.spec["volumeMounts"] if one["name"] == "models"]
        assert (mount["mountPath"], mount["readOnly"]) == ("/models", True)
        return volume, mount, found.pod.get("initContainers", [])

    volume, mount, starters = models("tables")
    assert volume["image"]["reference"] == "registry.example.com/attribution-models:2026-11"
    assert (mount["subPath"], starters) == ("repository", [])
    volume, mount, starters = models("gpu")
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert ("subPath" in mount, starters) == (False, [])
    volume, mount, (starter,) = models("pictures")
    assert volume["emptyDir"] == {"sizeLimit": "40Gi"}
    assert "subPath" not in mount
    assert {"name": "models", "mountPath": "/models"} in starter["volumeMounts"]
    assert starter["envFrom"] == [{"secretRef": {"name": "model-storage"}}]


def test_a_group_may_have_a_store_of_its_own() -> None:
    container = worker(CASES["everything-on"] | {"fullnameOverride": "attribution"}, "g" * 15)
    assert environment(container)["ATTRIBUTION_REDIS_URL"] == {"secretKeyRef": {"name": "another", "key": "url"}}


def test_hosts_are_those_of_clients_of_the_cluster_and_of_prometheus() -> None:
    (gateway,) = [one for one in containers(of_example("one-gpu-node")) if one.spec["name"] == "gateway"]
    hosts = environment(gateway)["ATTRIBUTION_HOSTS"].split(",")
    assert hosts[0] == "attribution.example.com"
    assert {"attribution-gateway.models.svc", "$(POD_IP)"} <= set(hosts)
    names = [entry["name"] for entry in gateway.spec["env"]]
    assert names.index("POD_IP") < names.index("ATTRIBUTION_HOSTS")  # Kubernetes replaces earlier variables alone
