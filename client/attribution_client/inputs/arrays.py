"""Arrays of any library as numpy's, and numpy's as tensors of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.errors import InputError
from attribution_client.wire.requests import Tensor

DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


def is_array(given: Any) -> bool:
    """Whether this is an array of numpy, torch, JAX, TensorFlow or another library that numpy can read.

    Elements of numpy's arrays of texts are texts.
    """
    is_text = isinstance(given, (str, bytes))
    return not is_text and hasattr(given, "__array__") and hasattr(given, "shape") and hasattr(given, "dtype")


def as_array(given: Any) -> NDArray[Any]:
    """The numbers of an array or a tensor, which may be on a device and have a gradient.

    Raises:
        InputError: it holds no plain numbers.
    """
    if hasattr(given, "detach"):  # of torch
        given = given.detach().cpu()
        if str(given.dtype) == "torch.bfloat16":  # numpy has none; float32 holds each of its values
            given = given.float()
    array = np.asarray(given)
    if array.dtype.kind not in "fiub":
        raise InputError(f"an array of {array.dtype} holds no plain numbers")
    return array


def tensor_of(array: NDArray[Any], name: str = "input") -> Tensor:
    """The array as a tensor of the wire; types that the wire lacks become the next larger one.

    Raises:
        InputError: it is empty, has no dimension, or holds NaN or infinity.
    """
    if not array.size or not array.ndim:
        raise InputError(f"an array of shape {array.shape} is no input")
    if array.dtype.name not in DATATYPES:
        kind = np.float64 if array.dtype.kind == "f" else np.int64
        array = array.astype(np.int32 if array.dtype.itemsize < 4 and array.dtype.kind != "f" else kind)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError("the array holds NaN or infinity")
    return {
        "name": name,
        "datatype": DATATYPES[array.dtype.name],  # type: ignore[typeddict-item]  # a word of the same list
        "shape": list(array.shape),
        "data": array.ravel().tolist(),
    }


def as_json(value: Any) -> Any:
    """A parameter as JSON: arrays become `{"tensor": …}`, numbers of numpy become Python's, tuples become lists."""
    if isinstance(value, np.generic):
        return value.item()
    if is_array(value):
        array = as_array(value)
        return array.item() if array.ndim == 0 else {"tensor": tensor_of(array)}
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return value
