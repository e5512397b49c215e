"""A stored result in the formats a client may ask for. CPU work of milliseconds: run in a thread."""

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
    """`Explanation`: the stored JSON with each tensor's values put beside its head, straight from numpy.

    orjson writes what JSON cannot express, NaN and infinity, as null.
    """
    document = orjson.loads(meta)
    arrays = load(tensors)
    for spec in document["attributions"]:
        spec["data"] = np.ascontiguousarray(arrays[spec["name"]]).ravel()
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def npy(meta: bytes, tensors: bytes, name: str | None) -> bytes:
    """One attribution tensor as a .npy file, the first where none is named.

    Raises:
        InvalidRequest: no tensor of that name.
    """
    stream = io.BytesIO()
    np.save(stream, attribution(ResultMeta.model_validate_json(meta), tensors, name), allow_pickle=False)
    return stream.getvalue()


def attribution(meta: ResultMeta, tensors: bytes, name: str | None = None) -> NDArray[Any]:
    """One attribution tensor, (examples, …); the first where none is named.

    Raises:
        InvalidRequest: no tensor of that name.
    """
    names = [spec.name for spec in meta.attributions]
    chosen = names[0] if name is None else name
    if chosen not in names:
        raise InvalidRequest.at(["query", "tensor"], f"the result holds {', '.join(names)}")
    arrays: dict[str, NDArray[Any]] = load(tensors)
    return arrays[chosen]
