"""A client against a server that lies, breaks off, redirects, is full or is away: over real connections."""

import asyncio
import gzip
import io
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from attribution_client import AsyncClient, Client, Result, Retries
from attribution_client.drivers import http
from attribution_client.errors import AttributionError, BadAnswer, Overloaded, Unreachable
from tests.client.core.scripted import job, problem
from tests.client.hostile_server import HostileServer, cut_off, good_answers, hostile_server, sends, sends_json

KEY = "a-secret-key"
VALUES = np.array([[0.5, -0.25, 1.0]], np.float32)
PATIENT, IMPATIENT = Retries(total_s=5.0), Retries(total_s=0.0, attempts=1)


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, VALUES)
    return stream.getvalue()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        running.answers = good_answers(npy(), [1, 3])
        yield running


def explain(server: HostileServer, retries: Retries = PATIENT) -> Result:
    with Client(server.url, key=KEY, retries=retries) as client:
        return client.explain("a text", model="net", timeout_s=20.0)


def explain_on_loop(server: HostileServer, retries: Retries = PATIENT) -> Any:
    async def run() -> Any:
        async with AsyncClient(server.url, key=KEY, retries=retries) as client:
            return await client.explain("a text", model="net", timeout_s=20.0)

    return asyncio.run(run())


both = pytest.mark.parametrize("ask", [explain, explain_on_loop])


@both
def test_good_answers_are_taken(server: HostileServer, ask: Any) -> None:
    result = ask(server)
    assert np.array_equal(result.values, VALUES[0])
    assert all(headers["Authorization"] == f"Bearer {KEY}" for _, _, headers in server.requests)


@both
@pytest.mark.parametrize(
    ("content", "shape"),
    [(npy()[:-1], [1, 3]), (npy()[:20], [1, 3]), (npy(), [3, 1]), (b"<html>", [1, 3]), (b"", [1, 3])],
)
def test_numbers_that_are_not_what_the_document_says(
    server: HostileServer, ask: Any, content: bytes, shape: list[int]
) -> None:
    server.answers |= good_answers(content, shape)
    with pytest.raises(BadAnswer, match="numbers"):
        ask(server)


@both
def test_an_answer_that_breaks_off_is_asked_for_again(server: HostileServer, ask: Any) -> None:
    whole = server.answers["/explain"][0]
    server.answers["/explain"] = [cut_off(b'{"id": ', "application/json", 700), whole]
    assert ask(server).id == "j1"
    keys = [headers["Idempotency-Key"] for method, _, headers in server.requests if method == "POST"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@both
def test_an_answer_that_always_breaks_off(server: HostileServer, ask: Any) -> None:
    server.answers["/models/net"] = [cut_off(b'{"na', "application/json", 700)]
    with pytest.raises(Unreachable):
        ask(server)


@both
@pytest.mark.parametrize("media", ["text/html", "application/octet-stream", ""])
def test_another_content_type(server: HostileServer, ask: Any, media: str) -> None:
    server.answers["/models/net"] = [sends(200, b"{}", media)]
    with pytest.raises(BadAnswer, match="expected application/json"):
        ask(server)


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_gets_neither_the_key_nor_the_input(server: HostileServer, ask: Any, status: int) -> None:
    with hostile_server() as other:
        for path in ("/models/net", "/explain"):
            server.answers[path] = [sends(status, b"", location=f"{other.url}{path}")]
            with pytest.raises(BadAnswer, match="redirects to") as raised:
                ask(server)
            assert other.url in str(raised.value)
            server.answers |= {"/models/net": good_answers(npy(), [1, 3])["/models/net"]}
        assert other.requests == []


def test_links_of_an_answer_are_not_followed(server: HostileServer) -> None:
    with hostile_server() as other:
        links = {name: f"{other.url}/{name}" for name in ("self", "events", "result", "overlay")}
        server.answers["/explain"] = [sends_json(job("succeeded", links=links), 202)]
        result = explain(server)
        assert result.overlay().startswith(b"\x89PNG")
        assert other.requests == []


def test_an_id_of_an_answer_stays_one_part_of_the_path(server: HostileServer) -> None:
    server.answers["/explain"] = [sends_json(job("succeeded", id="../models/net"), 202)]
    server.answers["/jobs/..%2Fmodels%2Fnet/result"] = [sends(404, b"")]
    with pytest.raises(AttributionError, match="404"):
        explain(server)


@both
def test_a_full_queue_is_waited_for(server: HostileServer, ask: Any) -> None:
    full = problem("queue_full", 429)
    busy = sends(429, full.content, "application/problem+json", retry_after="1")
    server.answers["/explain"] = [busy, server.answers["/explain"][0]]
    assert ask(server).id == "j1"
    assert [path for _, path, _ in server.requests].count("/explain") == 2
    server.answers["/explain"] = [busy]
    with pytest.raises(Overloaded) as raised:
        ask(server, IMPATIENT)
    assert raised.value.retry_after_s == 1.0


@both
def test_a_service_that_is_away(ask: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = HostileServer.__new__(HostileServer)
        server.server_address = taken.getsockname()
    with pytest.raises(Unreachable, match="no service answers at http://127"):
        ask(server, IMPATIENT)


@both
@pytest.mark.parametrize("compressed", [gzip.compress(b" " * 2_000_000), b"no gzip"])
def test_a_compressed_answer_has_the_same_limit(
    server: HostileServer, ask: Any, compressed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for driver in ("blocking", "on_loop"):
        monkeypatch.setattr(f"attribution_client.drivers.{driver}.MAX_ANSWER_BYTES", 1_000_000)
    assert http.MAX_ANSWER_BYTES > 1_000_000
    server.answers["/models/net"] = [sends(200, compressed, content_encoding="gzip")]
    with pytest.raises(BadAnswer, match=r"larger than 1000000 bytes|cannot be decompressed"):
        ask(server)


def test_what_a_service_says_is_escaped_in_a_notebook(server: HostileServer) -> None:
    with Client(server.url, language="es") as client:
        shown = client.explain("a text", model="net")._repr_html_()
    assert 'lang="es"' in shown
    assert "predicción" in shown
    assert "&lt;b&gt;yes&lt;/b&gt; 75 %" in shown
    assert "<script" not in shown
    assert "<img src=x" not in shown
    assert shown.count("<img ") == 1
    assert "alert(1)&lt;/script&gt; +0.5" in shown


def test_a_result_is_shown_after_its_client_is_closed_and_after_its_job_is_gone(server: HostileServer) -> None:
    result = explain(server)
    assert result._repr_png_() == b"\x89PNG\r\n\x1a\n"
    again = explain(server)
    gone = problem("job_not_found", 404, "no such job").content
    server.answers["/jobs/j1/overlay.png"] = [sends(404, gone, "application/problem+json")]
    assert again._repr_png_() is None
    assert "no such job" in again._repr_html_()
    assert "(1, 3)" in again._repr_html_()
