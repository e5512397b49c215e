"""Builds the dashboards from the metrics' definitions: `python -m docker.grafana.source`."""
