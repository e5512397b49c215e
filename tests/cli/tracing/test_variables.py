"""Which variables switch tracing on."""

import pytest

from cli.tracing.variables import TracingError, is_tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
COLLECTOR = {ENDPOINT: "http://collector:4318"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),  # as compose files pass an unset variable
        ({ENDPOINT: "  "}, False),
        ({"OTEL_SERVICE_NAME": "attribution", "OTEL_TRACES_SAMPLER": "always_on"}, False),  # not where to
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),  # to the standard's default
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "None"}, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "TRUE "}, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "1"}, True),  # the standard knows `true` alone
        ({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_tracing_is_on_where_spans_have_an_address(variables: dict[str, str], expected: bool) -> None:
    assert is_tracing(variables) is expected


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({ENDPOINT: "collector:4318"}, ENDPOINT),
        ({ENDPOINT: "file:///etc/passwd"}, ENDPOINT),
        ({ENDPOINT: "http://"}, ENDPOINT),
        ({ENDPOINT: "http://collector:99999"}, ENDPOINT),
        ({ENDPOINT: "http://[::1"}, ENDPOINT),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "hunter2"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
        ({"OTEL_TRACES_EXPORTER": "otlp,console"}, "OTEL_TRACES_EXPORTER"),
        ({**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ({**COLLECTOR, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
    ],
)
def test_a_value_that_cannot_be_followed_is_named_and_not_repeated(variables: dict[str, str], name: str) -> None:
    with pytest.raises(TracingError) as raised:
        is_tracing(variables)
    assert str(raised.value).startswith(f"{name}: ")
    assert variables[name] not in str(raised.value)
