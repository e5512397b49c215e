"""Grafana: its provisioning, the dashboards that it reads, and the source that writes them."""
