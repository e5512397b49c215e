"""A large result in its formats, part by part: neither the stored tensors nor the response are ever whole in memory."""

import base64
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from broker import OpenedResult
from schemas.results import Encoding
from service.results.blob import StoredTensor, header_end, stored_tensors, unreadable
from service.results.formats import chosen_name, npy_head, tensor_names
from service.state import Gateway
from service.tuning import JSON_PART_BYTES

BASE64_BYTES = 3  # that four letters encode


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body in parts, of `size` bytes if that is known before."""

    parts: AsyncIterator[bytes]
    size: int | None = None


def streamed_blob(opened: OpenedResult) -> Streamed:
    """The stored safetensors blob."""
    return Streamed(opened.parts(), opened.size)


async def streamed_npy(opened: OpenedResult, name: str | None) -> Streamed:
    """One attribution tensor as a .npy file: the one named, or the first.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
        JobHasNoResult: the stored result is damaged.
        JobNotFound: it has expired.
    """
    chosen = chosen_name(tensor_names(opened.meta), name)
    tensor = _named(await _tensors(opened), chosen)
    head = npy_head(tensor.dtype, tensor.shape)

    async def parts() -> AsyncIterator[bytes]:
        yield head
        async for part in opened.parts(tensor.start, tensor.end):
            yield part

    return Streamed(parts(), len(head) + tensor.end - tensor.start)


async def streamed_json(gateway: Gateway, opened: OpenedResult, encoding: Encoding = "numbers") -> Streamed:
    """The `Explanation` document, equal to that of `explanation_json`.

    Raises:
        JobHasNoResult: the stored result is damaged.
        JobNotFound: it has expired.
    """
    tensors = await _tensors(opened)
    mark = secrets.token_hex(16)  # stands where the numbers go; no client can have written it
    chosen = []
    try:
        document = orjson.loads(opened.meta)
        for spec in document["attributions"]:
            chosen.append(_named(tensors, spec["name"]))
            if encoding == "base64":
                spec["encoding"] = encoding
            spec["data"] = mark
        texts = orjson.dumps(document).split(f'"{mark}"'.encode())
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable() from error

    async def parts() -> AsyncIterator[bytes]:
        for text, tensor in zip(texts[:-1], chosen, strict=True):
            left, right = (b'"', b'"') if encoding == "base64" else (b"[", b"]")
            yield text + left
            async for values in (_base64 if encoding == "base64" else _numbers)(gateway, opened, tensor):
                yield values
            yield right
        yield texts[-1]

    return Streamed(parts())


async def _numbers(gateway: Gateway, opened: OpenedResult, tensor: StoredTensor) -> AsyncIterator[bytes]:
    """The elements of a tensor as JSON, separated by commas."""
    separator = b""
    async for part in opened.parts(tensor.start, tensor.end):
        for begin in range(0, len(part), JSON_PART_BYTES):
            yield separator + await gateway.compute(_json_elements, part[begin : begin + JSON_PART_BYTES], tensor.dtype)
            separator = b","


async def _base64(gateway: Gateway, opened: OpenedResult, tensor: StoredTensor) -> AsyncIterator[bytes]:
    """The bytes of a tensor as base64. Three bytes make four letters, so the rest of a part waits for the next one."""
    rest = b""
    async for part in opened.parts(tensor.start, tensor.end):
        held = rest + part
        whole = len(held) - len(held) % BASE64_BYTES
        rest = held[whole:]
        yield await gateway.compute(base64.b64encode, memoryview(held)[:whole])
    yield base64.b64encode(rest)


def _json_elements(part: bytes, dtype: np.dtype[Any]) -> bytes:
    return orjson.dumps(np.frombuffer(part, dtype), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


async def _tensors(opened: OpenedResult) -> dict[str, StoredTensor]:
    end = header_end(opened.first, opened.size)
    return stored_tensors(await opened.read(0, end), opened.size)


def _named(tensors: dict[str, StoredTensor], name: str) -> StoredTensor:
    if name not in tensors:
        raise unreadable()
    return tensors[name]
