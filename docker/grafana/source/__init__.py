"""Builds the dashboards of docker/grafana/ from the definitions of the metrics: `python -m docker.grafana.source`."""
