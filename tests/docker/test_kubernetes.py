"""The objects for Kubernetes: what the dashboards and alerts become, and whom the gateways' metrics are taken from."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from docker.grafana.source.files import DASHBOARDS, MONITORING, RULES, files
from service.routes import health
from tests.deploy.definitions import faults
from tests.paths import ROOT

OLDEST_KUBERNETES = "1.25"
MAX_CONFIG_MAP_BYTES = 2**20  # that the API server takes


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((MONITORING / name).read_text()))


def test_the_committed_files_are_what_is_built() -> None:
    for path, text in files().items():
        assert path.read_text() == text, f"run `python -m docker.grafana.source`: {path.relative_to(ROOT)}"


def test_each_dashboard_is_a_valid_config_map() -> None:
    maps = objects("dashboards.yaml")
    held = [(name, text) for one in maps for name, text in one["data"].items()]
    assert sorted(held) == sorted((f"attribution-{path.name}", path.read_text()) for path in DASHBOARDS.iterdir())
    assert len({one["metadata"]["name"] for one in maps}) == len(maps)
    for one in maps:
        kubernetes_validate.validate(one, OLDEST_KUBERNETES, strict=True)
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert len(yaml.safe_dump(one).encode()) < MAX_CONFIG_MAP_BYTES


def test_a_wrong_config_map_is_noticed() -> None:
    (wrong, *_) = objects("dashboards.yaml")
    wrong["dta"] = wrong.pop("data")
    with pytest.raises(kubernetes_validate.utils.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST_KUBERNETES, strict=True)


def test_the_alerts_are_those_of_prometheus() -> None:
    (rule,) = objects("alerts.yaml")
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(RULES.read_text())
    assert faults(rule) == []


def test_the_monitor_scrapes_the_job_that_the_alerts_name() -> None:
    (monitor,) = objects("service-monitor.yaml")
    assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert faults(monitor) == []
    spec = monitor["spec"]
    (job,) = set(re.findall(r'job="(\w+)"', RULES.read_text()))
    assert spec["selector"]["matchLabels"][spec["jobLabel"]] == job
    (endpoint,) = spec["endpoints"]
    assert endpoint["path"] in {getattr(route, "path", None) for route in health.router.routes}
