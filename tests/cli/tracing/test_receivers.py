"""Receivers that are away, slow or hostile: spans are lost, nothing else is."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from time import monotonic

import pytest

from cli.tracing.bounded_session import MAX_RESPONSE_BYTES
from cli.tracing.sdk_tracer import FLUSH_S, SdkTracer
from tests.otlp import Receiver

SLACK_S = 8.0  # of a busy machine


@pytest.fixture
def small_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")


def record(tracer: SdkTracer, count: int) -> None:
    for _ in range(count):
        tracer.start("span", None).end()


def ends_in_time(tracer: SdkTracer) -> bool:
    began = monotonic()
    tracer.close()
    return monotonic() - began < FLUSH_S + SLACK_S


def no_longer_sends() -> bool:
    """Whether the threads of all tracers end."""
    senders = [thread for thread in threading.enumerate() if thread.name.startswith("OtelBatch")]
    for thread in senders:
        thread.join(SLACK_S)
    return not any(thread.is_alive() for thread in senders)


@pytest.mark.usefixtures("small_queue")
def test_a_receiver_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{bound.getsockname()[1]}")
        tracer = SdkTracer("test")
        record(tracer, 500)
        assert ends_in_time(tracer)
        assert no_longer_sends(), "its retries end with it"


@pytest.mark.usefixtures("small_queue")
def test_a_receiver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        release.wait()
        handler.close_connection = True

    with Receiver(respond) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        tracer = SdkTracer("test")
        record(tracer, 500)
        receiver.wait_for(lambda spans: len(spans) >= 4)
        record(tracer, 500)  # the queue is full, and no one waits
        assert ends_in_time(tracer)
        release.set()


def flood(handler: BaseHTTPRequestHandler) -> None:
    """An endless response."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    for _ in range(1 << 20):
        handler.wfile.write(b"x" * MAX_RESPONSE_BYTES)


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_an_endless_response_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        try:
            flood(handler)
        except OSError:  # the exporter has closed the connection
            cut.set()

    with Receiver(respond) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        tracer = SdkTracer("test")
        record(tracer, 1)
        assert ends_in_time(tracer)
        assert cut.wait(SLACK_S)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch, elsewhere: Receiver, status: int) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"{elsewhere.url}/v1/traces")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with Receiver(respond) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        tracer = SdkTracer("test")
        record(tracer, 1)
        assert ends_in_time(tracer)
        assert receiver.requests == 1
    assert not elsewhere.requests
