"""A real HTTP server whose answers a test writes, byte by byte where it wants."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.client.core.scripted import job

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the table of its server, and keeps each request's line and headers."""

    protocol_version = "HTTP/1.1"
    server: "HostileServer"

    def handle_any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        path = self.path.partition("?")[0]
        self.server.requests.append((self.command, path, dict(self.headers)))
        answers = self.server.answers[path]
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    do_GET = do_POST = do_DELETE = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""


class HostileServer(ThreadingHTTPServer):
    """`answers` by path; the last of a list is given again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """A server that runs until the end of the block."""
    with HostileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def sends(status: int, content: bytes, media: str = "application/json", **headers: str) -> Answer:
    """An answer with its length."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"content-type": media, "content-length": str(len(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def sends_json(document: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    return sends(status, json.dumps(document).encode(), **headers)


def cut_off(content: bytes, media: str, promised: int) -> Answer:
    """An answer that ends before the length that it promises."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", media)
        handler.send_header("content-length", str(promised))
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


def good_answers(npy: bytes, shape: list[int]) -> dict[str, list[Answer]]:
    """A service that has one text model, and one job, which has succeeded."""
    explanation = {
        "id": "j1",
        "model": {"name": "net", "version": "1", "digest": "sha256:0"},
        "method": {"name": "saliency"},
        "target": [{"index": 1, "label": "<b>yes</b>"}],
        "predictions": [[{"index": 1, "label": "<b>yes</b>", "score": 0.75}]],
        "attributions": [{"name": "input", "datatype": "FP32", "shape": shape}],
        "words": [[{"text": "<script>alert(1)</script>", "start": 0, "end": 25, "score": 0.5}]],
        "warnings": ["<img src=x onerror=alert(1)>"],
        "timing": {"queued_ms": 1.0, "prepare_ms": 1.0, "run_ms": 1.0, "rows": 1, "passes": 1},
        "provenance": {
            "service": "1",
            "captum": "0",
            "torch": "2",
            "device": "cpu",
            "dtype": "float32",
            "seed": 0,
        },
    }
    by_accept = {"application/json": sends_json(explanation), "application/x-npy": sends(200, npy, "application/x-npy")}
    card = {
        "name": "net",
        "version": "1",
        "status": "ready",
        "input": {"kind": "text", "shapes": [[8]]},
        "output": {"kind": "classification", "size": 2, "shape": [2]},
    }
    return {
        "/models/net": [sends_json(card)],
        "/explain": [sends_json(job("succeeded"), 202)],
        "/jobs/j1": [sends_json(job("succeeded"))],
        "/jobs/j1/result": [lambda handler: by_accept[handler.headers["accept"]](handler)],
        "/jobs/j1/overlay.png": [sends(200, b"\x89PNG\r\n\x1a\n", "image/png")],
    }
