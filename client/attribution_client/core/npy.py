"""Reads a .npy answer (NumPy enhancement proposal 1): numbers only, and no more memory than the bytes that came."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from attribution_client.errors import BadAnswer

KINDS = frozenset("fiub")


def read_npy(content: bytes, shape: list[int] | None = None) -> NDArray[Any]:
    """The array of a .npy file.

    Args:
        content: the whole file.
        shape: what the service says of the array, if it does.

    Raises:
        BadAnswer: the file is cut off, is longer than its header says, holds no plain numbers, or has another shape.
    """
    stream = io.BytesIO(content)
    try:
        version = npy_format.read_magic(stream)
        read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}[version]
        found, is_fortran, dtype = read(stream)
    except Exception as error:  # numpy reads the header as Python literals, which fails in many ways
        raise BadAnswer(f"the numbers are not a .npy file: {error}") from None
    if dtype.kind not in KINDS or is_fortran:
        raise BadAnswer(f"the numbers are not an array of plain numbers: {dtype}")
    data = memoryview(content)[stream.tell() :]
    if any(size < 0 for size in found) or math.prod(found) * dtype.itemsize != len(data):
        raise BadAnswer(f"the numbers are cut off: {len(data)} bytes for an array of shape {found}")
    if shape is not None and list(found) != shape:
        raise BadAnswer(f"the numbers have the shape {list(found)}, and should have {shape}")
    return np.frombuffer(data, dtype).reshape(found)
