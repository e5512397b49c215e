"""Every file that this package writes."""

from pathlib import Path

from docker.grafana.source.dashboards import documents
from docker.grafana.source.kubernetes import config_maps, prometheus_rule

ROOT = Path(__file__).parents[3]
DASHBOARDS = ROOT / "docker" / "grafana" / "dashboards"
RULES = ROOT / "docker" / "prometheus" / "rules" / "attribution.yml"
MONITORING = ROOT / "deploy" / "monitoring"


def files() -> dict[Path, str]:
    """The text of each file."""
    dashboards = documents()
    return {DASHBOARDS / name: text for name, text in dashboards.items()} | {
        MONITORING / "dashboards.yaml": config_maps(dashboards),
        MONITORING / "alerts.yaml": prometheus_rule(RULES.read_text()),
    }
