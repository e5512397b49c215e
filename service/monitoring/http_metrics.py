"""What the gateway counts itself, for Prometheus. `service.monitoring.store_metrics` adds what the store knows."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CLIENT_LEFT = 499  # nobody receives this status; log and metrics distinguish it from a response


class HttpMetrics:
    """Counters of one gateway process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "attribution_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "attribution_http_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ["route", "method"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._submitted = Counter(
            "attribution_jobs_submitted",
            "Jobs accepted by this gateway: created and queued, hit (answered from an earlier result), or shared.",
            ["model", "method", "priority", "outcome"],
            registry=self.registry,
        )

    def observe(self, route: str, method: str, status: int, elapsed_s: float) -> None:
        """One request; `CLIENT_LEFT` is a status here too."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(elapsed_s)

    def submitted(self, model: str, method: str, priority: str, outcome: str) -> None:
        """One job accepted; `outcome` as in `broker.Submitted`."""
        self._submitted.labels(model, method, priority, outcome).inc()

    def exposition(self) -> bytes:
        """Prometheus text format."""
        return generate_latest(self.registry)
