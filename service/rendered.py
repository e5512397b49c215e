"""Drawn pictures that are kept for a while, so that a repeated request draws nothing."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from cachetools import TTLCache

from service.release import RELEASE
from service.tuning import RENDERED_BYTES, RENDERED_S, RENDERED_SHARE

KEY_BYTES: Final = 32


@dataclass(eq=False, slots=True)
class _Drawing:
    task: asyncio.Task[bytes]
    waiting: int = 0


class RenderedPictures:
    """Pictures of one event loop by the digest of all that was drawn, bounded in bytes and in age.

    The least recently used go first. A caller that may not see a picture must be refused before it asks here.
    """

    def __init__(self, max_bytes: int = RENDERED_BYTES, ttl_s: float = RENDERED_S) -> None:
        self._pictures: TTLCache[bytes, bytes] = TTLCache(max_bytes, ttl_s, getsizeof=len)
        self._drawings: dict[bytes, _Drawing] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes of the pictures that are kept."""
        return int(self._pictures.currsize)

    async def get(self, key: bytes, draw: Callable[[], Awaitable[bytes]]) -> bytes:
        """The picture of this key. Equal requests at the same time draw it once; it is abandoned when all have left.

        Raises:
            Whatever `draw` raises, to all who wait for it; nothing is kept then.
        """
        kept = self._pictures.get(key)
        if kept is not None:
            return kept
        drawing = self._drawings.get(key)
        if drawing is None:
            drawing = self._drawings[key] = _Drawing(asyncio.ensure_future(self._draw(key, draw)))
        drawing.waiting += 1
        try:
            return await asyncio.shield(drawing.task)
        finally:
            drawing.waiting -= 1
            if not drawing.waiting:
                if self._drawings.get(key) is drawing:  # so that nobody joins what is being abandoned
                    del self._drawings[key]
                drawing.task.cancel()

    async def _draw(self, key: bytes, draw: Callable[[], Awaitable[bytes]]) -> bytes:
        picture = await draw()
        if len(picture) <= self._pictures.maxsize * RENDERED_SHARE:
            self._pictures[key] = picture
        return picture


def picture_key(*parts: str | bytes) -> bytes:
    """The digest of the parts, each with its length, and of this release, because another may draw otherwise."""
    digest = hashlib.blake2b(RELEASE.encode(), digest_size=KEY_BYTES)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()
