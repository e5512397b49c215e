"""The gateway's monitoring: metrics for Prometheus, and its log."""
