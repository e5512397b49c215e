"""A stored result in each of its formats. The JSON of a large result takes milliseconds of CPU: run it in a thread."""

import io
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors.numpy import load

from schemas.errors import InvalidRequest
from schemas.results import ResultMeta

JSON = "application/json"
NPY = "application/x-npy"
SAFETENSORS = "application/vnd.safetensors"
PNG = "image/png"
MEDIA = (JSON, NPY, SAFETENSORS, PNG)  # the first is the default


def explanation_json(meta: bytes, tensors: bytes) -> bytes:
    """The `Explanation` document: the stored JSON, with the values of each tensor written straight from numpy.

    orjson writes NaN and infinity, which JSON cannot express, as null.
    """
    document = orjson.loads(meta)
    arrays = load(tensors)
    for spec in document["attributions"]:
        spec["data"] = np.ascontiguousarray(arrays[spec["name"]]).ravel()
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def npy(meta: bytes, tensors: bytes, name: str | None) -> bytes:
    """One attribution tensor as a .npy file: the one named, or the first. Takes about as long as copying the tensor.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
    """
    array = _tensor_named([spec["name"] for spec in orjson.loads(meta)["attributions"]], tensors, name)
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
    chosen = names[0] if name is None else name
    if chosen not in names:
        raise InvalidRequest.at(["query", "tensor"], f"no such tensor; the result holds {', '.join(names)}")
    arrays: dict[str, NDArray[Any]] = load(tensors)
    return arrays[chosen]
