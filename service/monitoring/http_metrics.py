"""What the gateway counts itself, for Prometheus. `service.monitoring.store_metrics` adds what the store knows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from broker import Submitted
from schemas.errors import ServiceError
from schemas.model_key import ModelKey
from schemas.telemetry import names
from schemas.telemetry.definitions import Definition
from schemas.telemetry.trace_context import TraceContext

CLIENT_LEFT = 499  # nobody receives this status; log and metrics distinguish it from a response
ACCEPTED = "accepted"
# Otherwise each has a second series, of when it began, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]


# A directory that the gateways of one socket share. prometheus-client reads the variable when it is imported, and then
# keeps every counter in a file of its process there.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class HttpMetrics:
    """Counters of one gateway process, in a registry of their own.

    Attributes:
        registry: of this process.
        collector: yields the counters of this process; or the sums of all gateways that share its socket, since any of
            them may answer a scrape. The counts of one that has ended stay in them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.collector: Collector = self.registry
        if os.environ.get(SHARED_DIRECTORY):
            self.collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
        self._requests = self._counter(names.HTTP_REQUESTS)
        self._submitted = self._counter(names.JOBS_SUBMITTED)
        self._admissions = self._counter(names.ADMISSIONS)
        seconds = names.HTTP_SECONDS
        self._seconds = Histogram(
            seconds.name, seconds.help, seconds.labels, buckets=seconds.buckets, registry=self.registry
        )

    def observe(
        self, route: str, method: str, status: int, elapsed_s: float, context: TraceContext | None = None
    ) -> None:
        """One request; `CLIENT_LEFT` is a status here too. Its bucket shows the trace as an exemplar, if one is
        recorded."""
        exemplar = {"trace_id": context.trace_id} if context is not None and context.is_sampled else None
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(elapsed_s, exemplar)

    def submitted(self, submitted: Submitted) -> None:
        """One job accepted. An idempotent repeat that returns an earlier one is none."""
        if submitted.outcome != "known":
            spec = submitted.record.spec
            model = str(ModelKey(spec.model, spec.version))
            self._submitted.labels(model, spec.method["name"], spec.priority, submitted.outcome).inc()

    @contextmanager
    def admitting(self, key: str) -> Iterator[None]:
        """Counts how the body, which submits a job for the key of this name, ends. Raises what the body raises."""
        outcome = ACCEPTED
        try:
            yield
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            self._admissions.labels(key, outcome).inc()

    def _counter(self, definition: Definition) -> Counter:
        return Counter(definition.name, definition.help, definition.labels, registry=self.registry)
