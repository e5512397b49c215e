"""JSON documents with a result's attributions in them, written part by part: tensors are never whole as text.

A document holds marks, made of chance, where numbers go. It is written as JSON and cut at the marks.
"""

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

import numpy as np
import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse

from broker import OpenedResult
from service.dialects.running import Explained
from service.http.cut import unless_cut
from service.results.blob import StoredTensor, header_end, stored_tensors, unreadable
from service.state import Gateway
from service.tuning import JOINED_BYTES, JSON_PART_BYTES

MARK_BYTES = 16
SMALL_PART_BYTES = 4_096  # of tensors, written on the event loop


@dataclass(frozen=True, slots=True)
class Place:
    """Which numbers go where a mark stands: one example of a job's tensor, nested as it is."""

    job_id: str
    opened: OpenedResult
    tensor: str
    example: int


@dataclass(slots=True)
class Numbers:
    """The marks of one document."""

    places: dict[str, Place] = field(default_factory=dict)

    def of_example(self, one: Explained, tensor: str) -> str:
        """A mark for one example's attributions, nested as the tensor is."""
        return self._mark(Place(one.job_id, one.opened, tensor, one.example))

    def _mark(self, place: Place) -> str:
        mark = secrets.token_hex(MARK_BYTES)  # no client can have written it
        self.places[mark] = place
        return mark


async def document_response(
    gateway: Gateway, document: Mapping[str, Any] | list[Any] | str, numbers: Numbers, headers: dict[str, str]
) -> Response:
    """The document as a JSON response; a large one is streamed.

    Raises:
        JobHasNoResult: a stored result is damaged.
        JobNotFound: a result has expired meanwhile.
    """
    parts = json_parts(gateway, document, numbers)
    results = {place.job_id: place.opened for place in numbers.places.values()}
    if sum(opened.size for opened in results.values()) <= JOINED_BYTES:
        body = b"".join([part async for part in parts])
        return Response(body, media_type="application/json", headers=headers)
    first = await anext(parts)  # so that what is damaged or expired is told by a status

    async def streamed() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(unless_cut(streamed()), media_type="application/json", headers=headers)


async def json_parts(
    gateway: Gateway, document: Mapping[str, Any] | list[Any] | str, numbers: Numbers
) -> AsyncIterator[bytes]:
    """The document as JSON, in parts. Raises as `document_response`."""
    text = orjson.dumps(document)
    tensors: dict[str, dict[str, StoredTensor]] = {}
    for place in numbers.places.values():
        if place.job_id not in tensors:
            tensors[place.job_id] = await _tensors(place.opened)
        if place.tensor not in tensors[place.job_id]:
            raise unreadable()
    if not numbers.places:
        yield text
        return
    marks = "|".join(numbers.places)
    pieces = re.split(rf'\\?"({marks})\\?"'.encode(), text)  # a document within a text has its quotes escaped
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            yield piece
            continue
        place = numbers.places[piece.decode()]
        async for part in _written(gateway, place, tensors[place.job_id][place.tensor]):
            yield part


async def _tensors(opened: OpenedResult) -> dict[str, StoredTensor]:
    head = await opened.read(0, min(opened.size, 8))
    end = header_end(head, opened.size)
    return stored_tensors(await opened.read(0, end), opened.size)


async def _written(gateway: Gateway, place: Place, tensor: StoredTensor) -> AsyncIterator[bytes]:
    """The numbers of one place as JSON."""
    if not tensor.shape or place.example >= tensor.shape[0]:
        raise unreadable()
    size, shape = (tensor.end - tensor.start) // tensor.shape[0], tensor.shape[1:]
    start = tensor.start + place.example * size
    end = start + size
    if end - start <= JSON_PART_BYTES or not shape:
        yield await _dumped(gateway, await place.opened.read(start, end), tensor.dtype, shape)
        return
    async for part in _nested(gateway, place.opened, tensor.dtype, shape, start):
        yield part


async def _nested(
    gateway: Gateway, opened: OpenedResult, dtype: np.dtype[Any], shape: tuple[int, ...], start: int
) -> AsyncIterator[bytes]:
    """A tensor that is larger than a part, as nested lists: several blocks of one inner axis at a time."""
    axis, block_bytes = 1, prod(shape[1:]) * dtype.itemsize
    while block_bytes > JSON_PART_BYTES:
        block_bytes //= shape[axis]
        axis += 1
    outer, along, inner = shape[: axis - 1], shape[axis - 1], shape[axis:]
    step = max(1, JSON_PART_BYTES // block_bytes)
    at = start
    for index in product(*map(range, outer)):
        begins = _trailing(index, [0] * len(outer))
        ends = _trailing(index, [length - 1 for length in outer])
        comma = b"," if any(index) else b""
        yield comma + b"[" * (begins + 1)
        for first in range(0, along, step):
            count = min(step, along - first)
            data = await opened.read(at, at + count * block_bytes)
            at += len(data)
            text = (await _dumped(gateway, data, dtype, (count, *inner)))[1:-1]
            yield (b"," if first else b"") + text
        yield b"]" * (ends + 1)


def _trailing(index: tuple[int, ...], wanted: list[int]) -> int:
    """How many of the last places of `index` are as wanted."""
    count = 0
    while count < len(index) and index[-1 - count] == wanted[-1 - count]:
        count += 1
    return count


async def _dumped(gateway: Gateway, data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    return await gateway.compute_sized(len(data), _dump, data, dtype, shape, small_bytes=SMALL_PART_BYTES)


def _dump(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    array = np.frombuffer(data, dtype).reshape(shape)
    if array.ndim == 0 or not array.size:
        return orjson.dumps(array.tolist())
    return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
