"""The dashboards as config maps for the sidecar of Grafana, and the alerts as a rule for the Prometheus operator."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

LABELS = {"app.kubernetes.io/name": "attribution"}
NOTE = "# Written by `python -m docker.grafana.source`.\n"


class _Text(str):
    """A text of several lines, which YAML shows as such."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a change of a dashboard is a change of its lines."""


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def config_maps(dashboards: Mapping[str, str]) -> str:
    """One config map for each dashboard, which the sidecar of Grafana's chart finds by its label."""
    return _document(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"attribution-dashboard-{name.removesuffix('.json')}",
                "labels": {**LABELS, "grafana_dashboard": "1"},
                "annotations": {"grafana_folder": "Attribution"},
            },
            "data": {f"attribution-{name}": _Text(text)},
        }
        for name, text in sorted(dashboards.items())
    )


def prometheus_rule(rules: str) -> str:
    """The alerts of a Prometheus rule file, as the operator takes them."""
    groups = yaml.safe_load(rules)["groups"]
    metadata = {"name": "attribution", "labels": LABELS}
    rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": metadata}
    return _document([{**rule, "spec": {"groups": groups}}])


def _document(objects: Iterable[dict[str, Any]]) -> str:
    text: str = yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=120, explicit_start=True)
    return NOTE + text
