"""Dashboards: what they promise, and their queries against a real Prometheus."""
