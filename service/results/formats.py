"""A stored result in each of its formats. The JSON of a large result takes milliseconds of CPU: run it in a thread."""

import io
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import ValidationError

from schemas.errors import InvalidRequest
from schemas.results import ResultMeta
from service.results.blob import LENGTH_BYTES, header_end, stored_tensors, unreadable

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
        raise unreadable() from error


def read_tensors(blob: bytes | bytearray) -> dict[str, NDArray[Any]]:
    """The arrays of a stored safetensors blob, by name, as views of it. Raises `JobHasNoResult` where it is damaged."""
    head = memoryview(blob)[: header_end(blob[:LENGTH_BYTES], len(blob))]
    return {name: tensor.array(blob) for name, tensor in stored_tensors(bytes(head), len(blob)).items()}


def stored_array(blob: bytes | bytearray, name: str) -> NDArray[Any]:
    """One array of a stored safetensors blob. Raises `JobHasNoResult` where it is damaged or holds no such array."""
    arrays = read_tensors(blob)
    if name not in arrays:
        raise unreadable()
    return arrays[name]


def stored_text(payload: bytes) -> str:
    """The text of a stored input. Raises `JobHasNoResult` where it is damaged."""
    text = stored_array(payload, "text")
    if text.dtype != np.uint8:
        raise unreadable()
    try:
        return text.tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise unreadable() from error


def stored_pixels(payload: bytes) -> NDArray[np.uint8]:
    """The picture of a stored input, (height, width, 3). Raises `JobHasNoResult` where it is damaged."""
    pixels = stored_array(payload, "pixels")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise unreadable()
    return pixels


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
        raise unreadable() from error
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def npy(meta: bytes, tensors: bytes, name: str | None) -> bytes:
    """One attribution tensor as a .npy file: the one named, or the first. Takes about as long as copying the tensor.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
        JobHasNoResult: the stored result is damaged.
    """
    array = stored_array(tensors, chosen_name(tensor_names(meta), name))
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    return b"".join((head.getvalue(), np.ascontiguousarray(array).data))


def attribution(meta: ResultMeta, tensors: bytes | bytearray, name: str | None = None) -> NDArray[Any]:
    """One attribution tensor, (examples, …): the one named, or the first.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
    """
    return stored_array(tensors, chosen_name([spec.name for spec in meta.attributions], name))


def tensor_names(meta: bytes) -> list[str]:
    """The names of the attributions, in their order. Raises `JobHasNoResult` where the meta is damaged."""
    try:
        return [spec["name"] for spec in orjson.loads(meta)["attributions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable() from error


def chosen_name(names: list[str], name: str | None) -> str:
    """The name that the client has chosen, else the first. Raises `InvalidRequest` if the result has no such tensor."""
    chosen = name if name is not None or not names else names[0]
    if chosen is None or chosen not in names:
        raise InvalidRequest.at(["query", "tensor"], f"no such tensor; the result holds {', '.join(names)}")
    return chosen
