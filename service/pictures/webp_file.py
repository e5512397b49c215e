"""Reads the structure of a WebP file without decoding it: its canvas, its first frame, its orientation's metadata."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEAD_BYTES = 12  # RIFF, length, WEBP
ALPHA_FLAG = 0x10  # of VP8X
LOSSLESS_ALPHA = 1 << 28  # of a VP8L header, after width - 1 and height - 1 in 14 bits each


class DamagedWebP(ValueError):
    """The file does not follow the format."""


@dataclass(frozen=True, slots=True)
class WebPFile:
    """What the headers tell. `still` is the first frame as a file of one picture; its corner is at `offset`."""

    size: tuple[int, int]  # of the canvas
    has_alpha: bool
    still: bytes
    frame_size: tuple[int, int]
    offset: tuple[int, int]
    lossless: bool
    exif: bytes | None
    xmp: bytes | None

    @property
    def fills_canvas(self) -> bool:
        return self.frame_size == self.size


def read_webp(data: bytes) -> WebPFile:
    """The structure of a WebP file.

    Raises:
        DamagedWebP: a chunk is missing or cut, or sizes contradict each other.
    """
    try:
        chunks = list(_chunks(data, HEAD_BYTES))
        return _of_chunks(data, chunks)
    except (struct.error, IndexError) as error:
        raise DamagedWebP("a header is cut") from error


def _of_chunks(data: bytes, chunks: list[tuple[bytes, bytes]]) -> WebPFile:
    named: dict[bytes, bytes] = {}
    for name, body in chunks:
        named.setdefault(name, body)
    extended = named.get(b"VP8X") if chunks and chunks[0][0] == b"VP8X" else None
    offset, parts = (0, 0), chunks
    if extended is not None and b"ANMF" in named:
        frame = named[b"ANMF"]
        offset = 2 * _u24(frame, 0), 2 * _u24(frame, 3)
        parts = list(_chunks(frame, 16))
    alpha = next((body for name, body in parts if name == b"ALPH"), None)
    kind, stream = next(((name, body) for name, body in parts if name in (b"VP8 ", b"VP8L")), (b"", b""))
    frame_size, stream_alpha = _stream_header(kind, stream)
    size = (_u24(extended, 4) + 1, _u24(extended, 7) + 1) if extended is not None else frame_size
    has_alpha = bool(extended[0] & ALPHA_FLAG) if extended is not None else stream_alpha
    if offset[0] + frame_size[0] > size[0] or offset[1] + frame_size[1] > size[1]:
        raise DamagedWebP("the frame lies outside the canvas")
    still = data
    if b"ANMF" in named:
        still = _still(frame_size, alpha if kind == b"VP8 " else None, kind, stream)
    elif frame_size != size:
        raise DamagedWebP("the picture has another size than the canvas")
    return WebPFile(size, has_alpha, still, frame_size, offset, kind == b"VP8L", named.get(b"EXIF"), named.get(b"XMP "))


def _chunks(data: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks from `start` on; one that is cut is given as far as it goes."""
    while start + 8 <= len(data):
        name = data[start : start + 4]
        (length,) = struct.unpack_from("<I", data, start + 4)
        yield name, data[start + 8 : start + 8 + length]
        start += 8 + length + (length & 1)


def _stream_header(kind: bytes, stream: bytes) -> tuple[tuple[int, int], bool]:
    """Width and height of a coded picture, and whether a lossless one has an alpha channel."""
    if kind == b"VP8 " and stream[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", stream, 6)
        return (width & 0x3FFF, height & 0x3FFF), False
    if kind == b"VP8L" and stream[:1] == b"\x2f":
        (bits,) = struct.unpack_from("<I", stream, 1)
        return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits & LOSSLESS_ALPHA)
    raise DamagedWebP("it holds no picture")


def _u24(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _still(size: tuple[int, int], alpha: bytes | None, kind: bytes, stream: bytes) -> bytes:
    """A WebP file of one frame."""
    width, height = size
    chunks = _chunk(kind, stream)
    if alpha is not None:
        flags = struct.pack("<I", ALPHA_FLAG)
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = _chunk(b"VP8X", flags + sides) + _chunk(b"ALPH", alpha) + chunks
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
