"""The layout of a stored safetensors blob: 8 bytes of length, a JSON header, then the tensors one after another."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from schemas.errors import JobHasNoResult

LENGTH_BYTES = 8
DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a blob, at its bytes `start` to `end`, row-major."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int

    def array(self, blob: bytes | bytearray) -> NDArray[Any]:
        """The tensor as a view of the blob; nothing is copied."""
        flat = np.frombuffer(blob, self.dtype, math.prod(self.shape), self.start)
        return flat.reshape(self.shape)


def header_end(first: bytes | bytearray, size: int) -> int:
    """Where the header ends in a blob of `size` bytes that begins so. Raises `JobHasNoResult` if it is damaged."""
    end = LENGTH_BYTES + int.from_bytes(first[:LENGTH_BYTES], "little")
    if len(first) < LENGTH_BYTES or end > size:
        raise unreadable()
    return end


def stored_tensors(head: bytes | bytearray, size: int) -> dict[str, StoredTensor]:
    """The tensors by name, from the blob's bytes up to `header_end`. Raises `JobHasNoResult` if it is damaged."""
    try:
        entries = orjson.loads(bytes(head[LENGTH_BYTES:]))
        return {name: _tensor(entry, len(head), size) for name, entry in entries.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable() from error


def unreadable() -> JobHasNoResult:
    """The error for a stored result that is damaged."""
    return JobHasNoResult("the stored result cannot be read: it is damaged, or of another version (unreadable)")


def _tensor(entry: dict[str, Any], offset: int, size: int) -> StoredTensor:
    dtype = np.dtype(DTYPES[entry["dtype"]]).newbyteorder("<")
    shape = tuple(entry["shape"])
    start, end = (offset + position for position in entry["data_offsets"])
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError("a negative length")
    if not offset <= start <= end <= size or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor outside the blob")
    return StoredTensor(dtype, shape, start, end)
