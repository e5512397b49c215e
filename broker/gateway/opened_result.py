"""A stored result that is read in parts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

from redis.exceptions import ResponseError

from broker.gateway.async_connection import AsyncConnection
from broker.tuning import FIRST_PART_BYTES, PART_BYTES
from schemas.errors import JobNotFound


@dataclass(frozen=True, slots=True)
class OpenedResult:
    """The meta of a result, and access to its tensors, a safetensors blob of `size` bytes.

    `first` holds the blob's first bytes: all of it, unless it is large. A large one is read from the store range by
    range, so that a reader holds one part of it at a time.
    """

    meta: bytes
    size: int
    first: bytes
    _key: str = ""
    _connection: AsyncConnection | None = field(default=None, repr=False)

    @classmethod
    async def of(cls, connection: AsyncConnection, meta_key: str, tensors_key: str) -> Self | None:
        """The result under these keys, in one round trip; None if there is none."""
        async with connection.guard(), connection.client.pipeline(transaction=False) as pipeline:
            pipeline.get(meta_key)
            pipeline.exists(tensors_key)
            pipeline.strlen(tensors_key)
            pipeline.getrange(tensors_key, 0, FIRST_PART_BYTES - 1)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
            for reply in replies:
                if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
                    return None  # damaged, which is as good as absent
                if isinstance(reply, Exception):
                    raise reply
        meta, is_stored, size, first = replies
        return None if meta is None or not is_stored else cls(meta, size, first, tensors_key, connection)

    def with_meta(self, meta: bytes) -> Self:
        """The same tensors, described otherwise."""
        return replace(self, meta=meta)

    @property
    def is_whole(self) -> bool:
        """Whether `first` is all of the blob."""
        return len(self.first) == self.size

    async def read(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end` of the blob. Raises `JobNotFound` if the result has expired meanwhile."""
        if end <= len(self.first):
            return self.first[start:end]
        if self._connection is None:
            raise JobNotFound("the result is not stored")
        async with self._connection.guard():
            part: Any = await self._connection.client.getrange(self._key, start, end - 1)
        if len(part) != end - start:
            raise JobNotFound("the result has expired")
        return bytes(part)

    async def parts(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` of the blob, 256 KiB at a time. Raises as `read`."""
        end = self.size if end is None else end
        for begin in range(start, end, PART_BYTES):
            yield await self.read(begin, min(begin + PART_BYTES, end))

    async def whole(self) -> bytes | bytearray:
        """The blob in one piece; a large one is assembled in place. Raises as `read`."""
        if self.is_whole:
            return self.first
        blob, filled = bytearray(self.size), 0
        async for part in self.parts():
            blob[filled : filled + len(part)] = part
            filled += len(part)
        return blob
