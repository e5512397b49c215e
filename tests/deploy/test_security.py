"""What every container of every example may do: as little as those of docker-compose.yml."""

import re

import pytest

from tests.deploy.chart import EXAMPLES, Container, containers, environment, objects, of_example, of_kind
from tests.deploy.test_rendered import CASES

ALL = [(name, container) for name in CASES for container in containers(objects(CASES[name]))]
each_container = pytest.mark.parametrize("container", [one for _, one in ALL], ids=[f"{n}-{c}" for n, c in ALL])
each_example = pytest.mark.parametrize("example", EXAMPLES)


def test_containers_were_found() -> None:
    assert {container.spec["name"] for _, container in ALL} == {"gateway", "worker", "store", "models"}


@each_container
def test_no_privileges(container: Container) -> None:
    assert container.spec["securityContext"] == {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod = container.pod["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == pod["runAsGroup"] == pod["fsGroup"] != 0
    assert not container.pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"}


@each_container
def test_no_token_of_the_cluster(container: Container) -> None:
    assert container.pod["automountServiceAccountToken"] is False
    assert container.pod["enableServiceLinks"] is False
    assert container.pod["serviceAccountName"]


@each_container
def test_memory_is_bounded_and_what_can_be_written_has_a_size(container: Container) -> None:
    resources = container.spec["resources"]
    assert {"cpu", "memory"} <= resources["requests"].keys()
    assert "memory" in resources["limits"]
    volumes = {volume["name"]: volume for volume in container.pod["volumes"]}
    assert "/tmp" in {mount["mountPath"] for mount in container.spec["volumeMounts"]}
    for mount in container.spec["volumeMounts"]:
        volume = volumes[mount["name"]]
        assert "hostPath" not in volume
        if not mount.get("readOnly"):
            assert volume.get("emptyDir", {}).get("sizeLimit") or "persistentVolumeClaim" in volume, mount


@each_container
def test_secrets_are_taken_from_secrets(container: Container) -> None:
    """No password or key stands in an object that is not a Secret."""
    for name, value in environment(container).items():
        if re.search(r"PASSWORD|AUTH|SECRET|TOKEN", name):
            assert "secretKeyRef" in value, name
        if name == "ATTRIBUTION_REDIS_URL" and isinstance(value, str):
            assert "$(STORE_PASSWORD)" in value
    for volume in container.pod["volumes"]:
        if "secret" in volume:
            assert volume["secret"]["defaultMode"] == 0o440


@each_example
def test_passwords_are_in_secrets_alone(example: str) -> None:
    for one in of_example(example):
        assert one["kind"] == "Secret" or "a-password-of-tests" not in str(one)


@each_example
def test_only_gateways_and_the_store_are_reached(example: str) -> None:
    found = of_example(example)
    policies = of_kind(found, "NetworkPolicy")
    chosen = [one["spec"]["podSelector"]["matchLabels"].items() for one in policies.values()]
    for name, deployment in of_kind(found, "Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert sum(selector <= labels for selector in chosen) == 1, name
    for policy in policies.values():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        component = policy["metadata"]["labels"]["app.kubernetes.io/component"]
        assert ("ingress" in policy["spec"]) == (component != "worker")
        assert ("egress" in policy["spec"]) == (component != "store")
        for rule in policy["spec"].get("egress", []):
            assert rule["ports"]
    if store := policies.get("attribution-store"):
        (rule,) = store["spec"]["ingress"]
        components = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]}
        assert components == {"gateway", "worker"}


@each_example
def test_what_the_cluster_runs_by_itself_has_no_rights(example: str) -> None:
    kinds = {one["kind"] for one in of_example(example)}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    (account,) = of_kind(of_example(example), "ServiceAccount").values()
    assert account["automountServiceAccountToken"] is False
