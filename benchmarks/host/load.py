"""Load from a closed loop of clients that cost little: each keeps one connection, and sends what was made before.

The clients are one process, which takes its CPU time from the same two cores as the service.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvloop

Check = Callable[[int, Any], None]  # of the k-th answer, an array; raises where it is wrong
REQUEST = (
    "POST /explain?wait=60&answer=result HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    "Accept: application/x-npy\r\nCache-Control: no-store\r\nContent-Length: {length}\r\n\r\n"
)
PREFIX_BYTES = 10  # of a .npy file of version 1.0: magic, version, and the length of the header in two bytes


def run_load(url: str, body: Callable[[int], bytes], check: Check, *, clients: int, numbers: range) -> float:
    """Runs the jobs of these numbers from `clients` clients, and decodes and checks every result.

    Returns:
        Seconds from the first byte sent to the last result decoded.

    Raises:
        RuntimeError: a request was refused, or its job took longer than the wait.
    """
    return uvloop.run(_run(url, body, check, clients, numbers))


async def _run(url: str, body: Callable[[int], bytes], check: Check, clients: int, numbers: range) -> float:
    address, left = urlsplit(url), iter(numbers)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for k in left:
            content = body(k)
            writer.write(REQUEST.format(host=address.netloc, length=len(content)).encode() + content)
            check(k, _array(await _answer(reader)))
        writer.close()

    started_s = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return perf_counter() - started_s


def _array(content: bytes) -> Any:
    """The array of a .npy file. All files have one of a few headers, of which each is parsed once."""
    start = PREFIX_BYTES + int.from_bytes(content[PREFIX_BYTES - 2 : PREFIX_BYTES], "little")
    dtype, shape = _header(content[:start])
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


@lru_cache(maxsize=16)
def _header(content: bytes) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Type and shape of a .npy file of version 1.0 and C order. Raises `ValueError` for any other."""
    stream = BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("not a .npy file of version 1.0")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if is_fortran:
        raise ValueError("not in C order")
    return dtype, shape


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *fields = head.lower().split(b"\r\n")
    length = next(int(field[15:]) for field in fields if field.startswith(b"content-length:"))
    content = await reader.readexactly(length)
    if b" 200 " not in status:
        raise RuntimeError(f"{status.decode()}: {content[:500].decode(errors='replace')}")
    return content
