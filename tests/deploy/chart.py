"""The chart, rendered by the Helm that `helm-python-sdk` carries."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import pytest
import yaml

from tests.paths import ROOT

helm_python = pytest.importorskip("helm_python", reason="helm-python-sdk has no wheel for this machine")
CHART = ROOT / "deploy" / "helm" / "attribution"
EXAMPLES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((CHART / "examples").iterdir())}
EXAMPLES["trying-out"]["valkey"]["password"] = "a-password-of-tests"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
RELEASE, NAMESPACE = "attribution", "models"
Values = dict[str, Any]


class Container(NamedTuple):
    """A container, with the pod template that it belongs to."""

    owner: str
    kind: str  # containers or initContainers
    pod: dict[str, Any]
    spec: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.owner}/{self.spec['name']}"


@cache
def loaded() -> Any:
    """The chart as Helm reads it."""
    return helm_python.Chart.load(str(CHART))


def files(values: Values, name: str = RELEASE) -> dict[str, str]:
    """The text of each template, with these values."""
    return loaded().render(values, name=name, namespace=NAMESPACE)


def objects(values: Values, name: str = RELEASE) -> list[dict[str, Any]]:
    """Every object of the chart, with these values."""
    rendered = files(values, name)
    texts = [rendered[path] for path in sorted(rendered) if path.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


@cache
def _of_example(name: str) -> list[dict[str, Any]]:
    return objects(EXAMPLES[name])


def of_example(name: str) -> list[dict[str, Any]]:
    """Every object of an example."""
    return deepcopy(_of_example(name))


def of_kind(found: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def containers(found: list[dict[str, Any]]) -> Iterator[Container]:
    """Every container of every Deployment."""
    for name, one in of_kind(found, "Deployment").items():
        pod = one["spec"]["template"]["spec"]
        for kind in ("initContainers", "containers"):
            yield from (Container(name, kind, pod, spec) for spec in pod.get(kind, []))


def environment(container: Container) -> dict[str, Any]:
    """The variables of a container: a value, or where it comes from."""
    entries = container.spec.get("env", [])
    assert len({entry["name"] for entry in entries}) == len(entries), f"{container} names a variable twice"
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}


def merged(one: Values, other: Values) -> Values:
    """`one` with the values of `other` laid over it."""
    result = dict(one)
    for key, value in other.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
