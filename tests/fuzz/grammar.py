"""Valid requests, from which the fuzzer starts. Pure."""

import base64
import io
import random
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from PIL import Image

from tests.fuzz.http_request import Header, HttpRequest
from tests.soak.model_folders import COLUMNS, PICTURE_SIDE, WORDS
from tests.soak.plan import METHODS, form_parts

WAIT_S = 10  # that valid requests wait for their job
CHEAP = {  # most requests that reach a worker ask for one of these, so that it keeps up
    "table": ("saliency", "input_x_gradient", "layer_activation", "neuron_gradient", "deep_lift"),
    "picture": ("saliency", "input_x_gradient", "layer_grad_cam"),
    "text": ("saliency",),
}
MODEL_SHARES = {"table": 80, "picture": 12, "text": 8}
PICTURES = tuple((kind, side) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP") for side in (8, PICTURE_SIDE, 60))
ACCEPT = ("application/json", "application/x-npy", "application/vnd.safetensors", "image/png", "*/*", "text/html",
          "image/svg+xml")  # fmt: skip
RESULT_QUERIES: dict[str, tuple[str, ...]] = {
    "style": ("heatmap", "overlay", "contour", "nothing"),
    "sign": ("all", "positive", "negative", "absolute"),
    "colormap": ("viridis", "gray", "inferno", "no such map"),
    "alpha": ("0", "0.5", "1", "2", "NaN"),
    "percentile": ("99", "0", "100", "-1"),
    "size": ("64", "200", "1000000", "0"),
    "smooth": ("0", "2", "1e9"),
    "caption": ("true", "false", "2"),
    "frame": ("0", "31", "32", "x"),
    "lang": ("en", "es", "fr"),
    "example": ("0", "1", "63", "64"),
}
LIST_QUERIES: dict[str, tuple[str, ...]] = {
    "status": ("queued", "succeeded", "failed", "lost"),
    "model": ("table", "picture", "no-such-model", "../etc"),
    "version": ("1", "2"),
    "limit": ("1", "50", "200", "201", "-1", "x"),
    "cursor": ("0", "1772366400000000", "-1", "NaN", "9" * 90),
}
PATHS = ("/models", "/models/table", "/models/none", "/methods", "/methods/saliency", "/healthz", "/readyz", "/metrics",
         "/openapi.json", "/docs", "/", "/jobs/", "/explain", "/nothing")  # fmt: skip


def explain(chance: random.Random) -> HttpRequest:
    """A valid `POST /explain` as JSON that waits for its result."""
    request = HttpRequest("POST", _target(chance), _headers(chance), document(chance))
    if chance.random() < 0.8:  # computed, whatever was computed before
        request.headers.append(("Cache-Control", "no-store"))
    return request


def form(chance: random.Random) -> HttpRequest:
    """The same as a form."""
    boundary = f"b{chance.getrandbits(64):x}"
    kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
    parts = [_part(boundary, name, file, content) for name, (file, content) in form_parts(document(chance)).items()]
    content = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return HttpRequest("POST", _target(chance), [*_headers(chance), kind], content=content)


def look(chance: random.Random, jobs: list[str]) -> HttpRequest:
    """A request that submits nothing: jobs that were made before, lists, documents."""
    job = chance.choice(jobs) if jobs and chance.random() < 0.9 else "AAAAAAAAAAAAAAAAAAAAAA"
    kind = chance.randrange(8)
    if kind == 0:
        return HttpRequest("GET", f"/jobs?{_query(chance, LIST_QUERIES)}")
    if kind == 1:
        return HttpRequest("DELETE", f"/jobs/{job}")
    if kind == 2:
        return HttpRequest(chance.choice(("GET", "HEAD", "OPTIONS", "PUT", "PATCH")), chance.choice(PATHS))
    if kind == 3:
        return HttpRequest("GET", f"/jobs/{job}/overlay.png?{_query(chance, RESULT_QUERIES)}")
    path = chance.choice((f"/jobs/{job}", f"/jobs/{job}/result", f"/jobs/{job}/events", f"/jobs/{job}/quality.png"))
    return HttpRequest("GET", path, [("Accept", chance.choice(ACCEPT))])


def document(chance: random.Random) -> dict[str, Any]:
    """A valid body."""
    model = chance.choices(list(MODEL_SHARES), list(MODEL_SHARES.values()))[0]
    name = chance.choice(CHEAP[model] if chance.random() < 0.9 else list(METHODS[model]))
    method: dict[str, Any] = {"name": name, **METHODS[model][name]}
    if name.startswith(("layer_", "neuron_", "internal_")):
        method.setdefault("layer", "1")
    body = {"model": model, "input": _input(chance, model), "method": method, "target": chance.randrange(2)}
    optional = {
        "seed": chance.randrange(2**32),
        "priority": chance.choice(("interactive", "batch")),
        "version": "1",
        "quality": ["completeness"],
    }
    return body | {name: value for name, value in optional.items() if chance.random() < 0.2}


def picture(chance: random.Random) -> bytes:
    """A small picture in one of several formats, some of which are refused."""
    kind, side = chance.choice(PICTURES)
    pixels = np.frombuffer(chance.randbytes(side * side * 3), dtype=np.uint8).reshape(side, side, 3)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, kind)
    return encoded.getvalue()


def _input(chance: random.Random, model: str) -> dict[str, Any]:
    if model == "table":
        return {"features": {name: chance.gauss(0.5, 2.0) for name in COLUMNS}}
    if model == "text":
        return {"text": " ".join(chance.choices(WORDS, k=chance.randint(1, 12)))}
    return {"image": base64.b64encode(picture(chance)).decode()}


def _target(chance: random.Random) -> str:
    query: dict[str, Any] = {"wait": WAIT_S}
    if chance.random() < 0.3:
        query["answer"] = "result"
    return f"/explain?{urlencode(query)}"


def _headers(chance: random.Random) -> list[Header]:
    headers = []
    if chance.random() < 0.3:
        headers.append(("Accept", chance.choice(("application/json", "application/x-npy, application/json"))))
    if chance.random() < 0.1:
        headers.append(("Idempotency-Key", f"{chance.getrandbits(64):x}"))
    if chance.random() < 0.1:
        headers.append(("Accept-Language", chance.choice(("en", "es", "de;q=0.5, es"))))
    return headers


def _query(chance: random.Random, values: dict[str, tuple[str, ...]]) -> str:
    names = chance.sample(list(values), chance.randint(0, 3))
    return "&".join(f"{name}={quote(chance.choice(values[name]))}" for name in names)


def _part(boundary: str, name: str, file: str | None, content: bytes) -> bytes:
    named = f'; filename="{file}"\r\nContent-Type: application/octet-stream' if file else ""
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"
