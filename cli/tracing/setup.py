"""Makes the tracer of a process, where an operator has set one up."""

import os
from typing import TYPE_CHECKING

from cli.tracing.variables import TracingError, is_tracing

if TYPE_CHECKING:
    from schemas.telemetry.spans import Tracer


def tracer_of_process(service: str, instance: str | None = None) -> "Tracer | None":
    """The tracer of this process, which is to be closed at its end; None where nobody has set where spans go.

    Call it in the process that records the spans, after any fork: it starts the thread that sends them.

    Args:
        service: name of the service in traces, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` give another.
        instance: which of its processes this is; None names it by host and process.

    Raises:
        TracingError: a variable holds a value that this service cannot follow, or the extra `tracing` is missing.
    """
    if not is_tracing(os.environ):
        return None
    try:
        from cli.tracing.sdk_tracer import SdkTracer  # noqa: PLC0415  # takes half a second and some memory
    except ImportError as error:
        raise TracingError("tracing needs the extra `tracing`; install attribution-service[tracing]") from error
    return SdkTracer(service, instance)
