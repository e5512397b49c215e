"""What the gateway tells of itself: metrics for Prometheus, and its log."""
