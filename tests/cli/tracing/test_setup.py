"""A process imports OpenTelemetry's SDK, and sends anything, only where an operator has set where to."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from cli.tracing.setup import tracer_of_process
from tests.otlp import Receiver
from tests.paths import ROOT

# Not all of the SDK: FastAPI imports its API, and redis-py the SDK's metrics where it is installed, to use neither.
OF_TRACING = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto", "cli.tracing.sdk_tracer")
PROGRAM = """
import sys
from cli.tracing.setup import tracer_of_process
{imports}
tracer = tracer_of_process("test")
print(tracer is not None, *sorted(sys.modules))
"""


def loaded(imports: str, variables: Mapping[str, str]) -> tuple[bool, set[str]]:
    """Whether a process has a tracer, and which modules it has imported."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(imports=imports)],
        cwd=ROOT,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    is_on, *modules = done.stdout.splitlines()[-1].split()
    return is_on == "True", set(modules)


@pytest.mark.parametrize("imports", ["import workers.main, cli.worker", "import service.app, cli.gateway"])
def test_without_tracing_nothing_of_it_is_imported(imports: str) -> None:
    is_on, modules = loaded(imports, {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SERVICE_NAME": "x"})
    assert not is_on
    assert not {name for name in modules if name.startswith(OF_TRACING)}


def test_the_sdk_is_imported_where_it_is_asked_for() -> None:
    is_on, modules = loaded("", {"OTEL_TRACES_EXPORTER": "otlp"})
    assert is_on
    assert set(OF_TRACING) <= modules
    assert not any("grpc" in name for name in modules)


def test_variables_of_the_standard_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        for name, value in {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-scope=team%20a",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "explanations",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.namespace=theirs",
            "OTEL_SPAN_LINK_COUNT_LIMIT": "3",
        }.items():
            monkeypatch.setenv(name, value)
        tracer = tracer_of_process("attribution-gateway")
        assert tracer is not None
        first = tracer.start("first", None)
        tracer.start("second", first, links=[first.context] * 5).end()
        first.end()
        tracer.close()
    second, one = receiver.spans
    assert (one.parent, second.parent, second.trace) == ("", one.span, one.trace)
    assert second.links == [(one.trace, one.span)] * 3
    assert one.resource["service.name"] == "explanations"
    assert one.resource["service.namespace"] == "theirs"
    assert one.resource["deployment.environment.name"] == "test"
    assert one.resource["service.version"]
    assert receiver.headers[0]["x-scope"] == "team a"
    assert receiver.headers[0]["Content-Encoding"] == "gzip"


def test_the_sampler_is_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
        tracer = tracer_of_process("attribution-gateway")
        assert tracer is not None
        dropped = tracer.start("dropped", None)
        below = tracer.start("below", dropped)
        kept = tracer.start("kept", dropped.context._replace(is_sampled=True))
        for span in (below, kept, dropped):
            span.end()
        tracer.close()
    assert (dropped.context.is_sampled, below.context.is_sampled, kept.context.is_sampled) == (False, False, True)
    assert below.context.trace_id == dropped.context.trace_id, "logs and results name the trace all the same"
    assert [span.name for span in receiver.spans] == ["kept"]
