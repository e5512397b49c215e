"""A stored result in each of its formats. The JSON of a large result takes milliseconds of CPU: run it in a thread."""

import io
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load

from schemas.errors import InvalidRequest, JobHasNoResult
from schemas.results import ResultMeta

JSON = "application/json"
NPY = "application/x-npy"
SAFETENSORS = "application/vnd.safetensors"
PNG = "image/png"
MEDIA = (JSON, NPY, SAFETENSORS, PNG)  # the first is the default


def read_meta(meta: bytes) -> ResultMeta:
    """A stored result without its tensors. Raises `JobHasNoResult` where it is damaged."""
    try:
        return ResultMeta.model_validate_json(meta)
    except ValidationError as error:
        raise _unreadable() from error


def read_tensors(blob: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a stored safetensors blob, by name. Raises `JobHasNoResult` where it is damaged."""
    try:
        arrays: dict[str, NDArray[Any]] = load(blob)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _unreadable() from error
    return arrays


def stored_array(blob: bytes, name: str) -> NDArray[Any]:
    """One array of a stored safetensors blob. Raises `JobHasNoResult` where it is damaged or holds no such array."""
    arrays = read_tensors(blob)
    if name not in arrays:
        raise _unreadable()
    return arrays[name]


def explanation_json(meta: bytes, tensors: bytes) -> bytes:
    """The `Explanation` document: the stored JSON, with the values of each tensor written straight from numpy.

    orjson writes NaN and infinity, which JSON cannot express, as null. Raises `JobHasNoResult` where the stored result
    is damaged.
    """
    arrays = read_tensors(tensors)
    try:
        document = orjson.loads(meta)
        for spec in document["attributions"]:
            spec["data"] = np.ascontiguousarray(arrays[spec["name"]]).ravel()
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable() from error
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def npy(meta: bytes, tensors: bytes, name: str | None) -> bytes:
    """One attribution tensor as a .npy file: the one named, or the first. Takes about as long as copying the tensor.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
        JobHasNoResult: the stored result is damaged.
    """
    try:
        names = [spec["name"] for spec in orjson.loads(meta)["attributions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable() from error
    array = _tensor_named(names, tensors, name)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    return b"".join((head.getvalue(), np.ascontiguousarray(array).data))


def attribution(meta: ResultMeta, tensors: bytes, name: str | None = None) -> NDArray[Any]:
    """One attribution tensor, (examples, …): the one named, or the first.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
    """
    return _tensor_named([spec.name for spec in meta.attributions], tensors, name)


def _tensor_named(names: list[str], tensors: bytes, name: str | None) -> NDArray[Any]:
    chosen = name if name is not None or not names else names[0]
    if chosen not in names:
        raise InvalidRequest.at(["query", "tensor"], f"no such tensor; the result holds {', '.join(names)}")
    return stored_array(tensors, chosen)


def _unreadable() -> JobHasNoResult:
    return JobHasNoResult("the stored result cannot be read: it is damaged, or of another version (unreadable)")
