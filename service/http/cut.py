"""Responses that end before their end: what a streamed response does when the store goes away meanwhile."""

from collections.abc import AsyncIterator

from schemas.errors import ServiceError


class ResponseCut(Exception):
    """A response that has begun cannot be completed. The client sees that the connection closes too early."""


async def unless_cut(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts. Raises `ResponseCut` in place of a service error, for which it is too late to send a problem."""
    try:
        async for part in parts:
            yield part
    except ServiceError as error:
        raise ResponseCut(error.code) from error
