"""Reads the structure of a JPEG file without decoding it."""

import re
from collections.abc import Iterator, Sequence

from service.tuning import MAX_JPEG_SCANS

START_OF_SCAN_MARKER = b"\xff\xda"  # found at least once per scan, and possibly inside comments
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)  # not stuffed bytes, restarts: picture data
_START_OF_SCAN, _END_OF_IMAGE, _BARE = 0xDA, 0xD9, (0x01, 0xD8)
COEFFICIENT_BYTES = 2  # of one of libjpeg's DCT coefficients

Component = tuple[int, int, int, int]  # identifier, horizontal and vertical sampling factors, table


def scans(data: bytes) -> int:
    """The number of scans of a JPEG file, counted up to one over the limit.

    A progressive file may repeat an empty scan of some 80 bytes a hundred thousand times. At 40 million pixels each
    scan takes the decoder tens of milliseconds.
    """
    if data.count(START_OF_SCAN_MARKER) <= 1:
        return 1
    count = 0
    for _ in _scan_starts(data):
        count += 1
        if count > MAX_JPEG_SCANS:
            break
    return count


def coefficient_bytes(data: bytes, size: tuple[int, int], components: Sequence[Component], *, progressive: bool) -> int:
    """The memory for the coefficients of the whole picture, which libjpeg holds if a scan does not code all of it."""
    first = next(_scan_starts(data), None)
    in_first = data[first + 2] if first is not None and first + 2 < len(data) else 0
    if not progressive and in_first >= len(components):
        return 0
    most_across = max(component[1] for component in components)
    most_down = max(component[2] for component in components)
    units = -(-size[0] // (8 * most_across)) * -(-size[1] // (8 * most_down))  # of the least common size of all
    return units * 64 * COEFFICIENT_BYTES * sum(across * down for _, across, down, _ in components)


def _scan_starts(data: bytes) -> Iterator[int]:
    """Where the header of each scan lies, up to the end of the picture."""
    position = 0
    while (marker := _MARKER.search(data, position)) is not None and marker[1][0] != _END_OF_IMAGE:
        position = marker.end()
        if marker[1][0] == _START_OF_SCAN:
            yield position
        if marker[1][0] not in _BARE:
            position += int.from_bytes(data[position : position + 2], "big")
