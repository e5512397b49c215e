"""Numbers from a .npy answer, and answers that are none."""

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_client.core.npy import read_npy
from attribution_client.errors import BadAnswer


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def with_header(text: str) -> bytes:
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "u1", "<i8", "?"])
def test_what_numpy_writes_is_read(dtype: str) -> None:
    array = np.arange(12).reshape(2, 3, 2).astype(dtype)
    assert np.array_equal(read_npy(npy(array)), array)
    assert np.array_equal(read_npy(npy(array), [2, 3, 2]), array)


GOOD = npy(np.arange(6, dtype=np.float32).reshape(2, 3))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:40],
        npy(np.array([object()]), allow_pickle=True),
        pickle.dumps([1]),
        npy(np.array(["text"])),
        npy(np.array([1 + 2j])),
        npy(np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")])),
        npy(np.asfortranarray(np.ones((2, 3)))),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -6)}"),
        with_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
        with_header("__import__('os').system('true')"),
        with_header("(" * 110),
    ],
)
def test_what_is_no_array_of_numbers(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_npy(content)


def test_another_shape_than_the_document_says() -> None:
    with pytest.raises(BadAnswer, match=r"\[2, 3\].*\[3, 2\]"):
        read_npy(GOOD, [3, 2])


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_never_escapes(place: int, value: int) -> None:
    changed = bytearray(GOOD)
    changed[place] = value
    try:
        read = read_npy(bytes(changed))
    except BadAnswer:
        return
    assert read.nbytes <= len(GOOD)
