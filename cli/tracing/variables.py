"""Which of OpenTelemetry's variables switch tracing on, and which values this service can follow."""

from collections.abc import Mapping
from urllib.parse import urlsplit

DISABLED = "OTEL_SDK_DISABLED"
EXPORTER = "OTEL_TRACES_EXPORTER"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")  # the first set one counts
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP_PROTOBUF = "http/protobuf"


class TracingError(ValueError):
    """Tracing cannot be set up as the variables say; the message names the variable and does not repeat its value."""


def is_tracing(variables: Mapping[str, str]) -> bool:
    """Whether an operator has set where spans go.

    The standard sends them to localhost where nothing is set. Here nothing is sent then.

    Raises:
        TracingError: a variable holds a value that this service cannot follow.
    """
    if variables.get(DISABLED, "").strip().lower() == "true":
        return False
    exporter = variables.get(EXPORTER, "").strip().lower()
    if exporter == "none":
        return False
    name, endpoint = _first(variables, ENDPOINTS)
    if not exporter and not endpoint:
        return False
    if exporter not in {"", "otlp"}:
        raise TracingError(f"{EXPORTER}: only otlp and none are supported")
    if endpoint and not _is_http_url(endpoint):
        raise TracingError(f"{name}: not an absolute URL of http or https")
    name, protocol = _first(variables, PROTOCOLS)
    if protocol not in {"", HTTP_PROTOBUF}:
        raise TracingError(f"{name}: only {HTTP_PROTOBUF} is supported")
    return True


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """The name and value of the first variable that is set and not empty; empty texts where none is."""
    for name in names:
        if value := variables.get(name, "").strip():
            return name, value
    return "", ""


def _is_http_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
