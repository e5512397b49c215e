"""Changes to valid requests: of values, of fields, of bytes, of headers. Pure."""

import base64
import copy
import random
from collections.abc import Callable
from typing import Any

from tests.fuzz import grammar
from tests.fuzz.http_request import HttpRequest

NUMBERS: tuple[Any, ...] = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 1e308, 1e-320, 0.5, float("nan"), float("inf"))
TEXTS = (
    "", " ", "\x00", "\x1b[31m", "\ud800", "é" * 50, "a" * 5_000, "../../etc/passwd", "${jndi:x}", "'; DROP", "%00",
    "true", "null", "NaN", "-0", "1e400", "\u202e", "\U0001d54f", "zero", "mean", "pad", "saliency", "auto",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [0] * 70,
    {"tensor": {}},
    {"a": {"a": {}}},
)
DEEP = 200  # levels
FIELDS = (
    "n_steps", "n_samples", "baseline", "layer", "target", "seed", "priority", "quality", "name", "version", "input",
    "stdevs", "feature_mask", "tolerance", "abs", "__proto__", "model", "wait", "neuron_selector",
)  # fmt: skip
HEADERS = (
    "Accept", "Prefer", "Idempotency-Key", "Content-Type", "Cache-Control", "Accept-Language", "X-Request-Id",
    "Expect", "If-None-Match", "Authorization", "Cookie", "Range", "Origin", "Upgrade", "Connection", "TE",
    "Content-Encoding", "Host", "Forwarded", "traceparent", "X-Forwarded-For",
)  # fmt: skip
HEADER_VALUES = (
    "", " ", "*", "wait=5", "wait=-1", "wait=1e999", "a" * 300, "\xff\xfe", "application/json", "text/plain",
    "multipart/form-data", "multipart/form-data; boundary=", "100-continue", "no-cache", "gzip", "close",
    "application/json; charset=utf-16", "bytes=0-1", ",,,;;;==", "q=1;q=2", "*/*;q=0", "http://evil.example", "\t",
    "en" * 100, "\"", "W/\"x\"", "image/png;q=nan",
)  # fmt: skip

Change = Callable[[random.Random, HttpRequest], None]


def changed_values(chance: random.Random, request: HttpRequest) -> None:
    """Replaces, removes, adds or repeats one to three fields of the document."""
    for _ in range(chance.randint(1, 3)):
        places = list(_places(request.document))
        if not places:
            return
        holder, key = chance.choice(places)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1:
                holder[key] = copy.deepcopy(chance.choice(OTHERS))
            case 2 if isinstance(holder, dict):
                holder[chance.choice(FIELDS)] = any_value(chance)
            case 3 if isinstance(holder[key], str):
                holder[key] = _near(chance, holder[key])
            case 4:
                holder[key] = [copy.deepcopy(holder[key])] * chance.choice((1, 2, 65))
            case _:
                holder[key] = any_value(chance)


def changed_text(chance: random.Random, request: HttpRequest) -> None:
    """Changes the bytes of the document: cuts, flips, repeats, wraps it deep."""
    body = bytearray(request.body)
    match chance.randrange(6):
        case 0:
            body = body[: chance.randrange(len(body) + 1)]
        case 1:
            for _ in range(chance.randint(1, 8)):
                body[chance.randrange(len(body))] = chance.randrange(256)
        case 2:
            body = bytearray(b"[" * DEEP + bytes(body) + b"]" * chance.randint(0, DEEP))
        case 3:
            at = chance.randrange(len(body))
            body[at:at] = chance.choice((b"\x00", b"\xef\xbb\xbf", b",", b"}", b'"', b"NaN", b"1e999", b'"model":1,'))
        case 4:
            body = body * 2
        case _:
            body = bytearray(body.decode(errors="replace").encode("utf-16"))
    _give_bytes(request, bytes(body))


def changed_picture(chance: random.Random, request: HttpRequest) -> None:
    """Sends a picture whose bytes are cut, flipped, or claim other dimensions."""
    data = bytearray(grammar.picture(chance))
    match chance.randrange(4):
        case 0:
            data = data[: chance.randrange(len(data))]
        case 1:
            for _ in range(chance.randint(1, 16)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 2:
            at = chance.randrange(8, 40)  # in the head, where sizes are
            data[at : at + 4] = chance.randbytes(4)
        case _:
            data += chance.randbytes(chance.randint(1, 500))
    encoded = base64.b64encode(bytes(data)).decode()
    prefix = chance.choice(("", "", "data:image/png;base64,", "data:,", "data:image/svg+xml;base64,"))
    request.document = {"model": "picture", "input": {"image": prefix + encoded}, "method": "saliency"}


def changed_headers(chance: random.Random, request: HttpRequest) -> None:
    """Adds one to four headers, of which some repeat others."""
    for _ in range(chance.randint(1, 4)):
        request.headers.append((chance.choice(HEADERS), chance.choice(HEADER_VALUES)))
    if chance.random() < 0.1:
        request.length = chance.choice(("-1", "x", "0", "", "1e3", "9" * 25, " 5", "+5"))


def changed_query(chance: random.Random, request: HttpRequest) -> None:
    """Adds or replaces query parameters, or changes the path."""
    path, _, query = request.target.partition("?")
    extra = "&".join(
        f"{chance.choice(('wait', 'answer', 'lang', 'x', 'wait%00', ''))}="
        f"{chance.choice(('', '0', '-1', '1e3', 'NaN', 'inf', 'result', '%ff', '%', '99999', 'a' * 200, '1'))}"
        for _ in range(chance.randint(1, 3))
    )
    match chance.randrange(4):
        case 0:
            request.target = f"{path}{chance.choice(('/', '//', '/..', '%2f', ';x', '%00', '/explain', '#x'))}?{query}"
        case 1:
            request.target = f"{path}?{extra}"
        case _:
            request.target = f"{path}?{query}&{extra}"


def changed_form(chance: random.Random, request: HttpRequest) -> None:
    """Changes the bytes or the boundary of a form."""
    body = bytearray(request.body)
    match chance.randrange(5):
        case 0:
            body = body[: chance.randrange(len(body))]
        case 1:
            body[chance.randrange(len(body))] = chance.randrange(256)
        case 2:
            body = bytearray(
                bytes(body).replace(b'name="', chance.choice((b'name="x', b"name=", b'name="\x00', b'n="')), 1)
            )
        case 3:
            body = bytearray(bytes(body).replace(b"\r\n", b"\n", chance.randint(1, 9)))
        case _:
            request.headers = [
                (name, value if name != "Content-Type" else value[: chance.randrange(len(value))])
                for name, value in request.headers
            ]
    request.content = bytes(body)


def any_value(chance: random.Random) -> Any:
    """A value of any JSON type."""
    return copy.deepcopy(chance.choice(chance.choice((NUMBERS, TEXTS, OTHERS))))


def _places(value: Any) -> Any:
    """(container, key) of every value inside a document."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _near(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return chance.choice((text[:at], text[:at] + chance.choice(TEXTS) + text[at:], text.upper(), text * 2, text[::-1]))


def _give_bytes(request: HttpRequest, body: bytes) -> None:
    request.content = body
    if not request.has("Content-Type"):
        request.headers.append(("Content-Type", "application/json"))
