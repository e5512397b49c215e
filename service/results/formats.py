"""A stored result in each of its formats. The JSON of a large result takes milliseconds of CPU: run it in a thread."""

import base64
import io
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import ValidationError

from schemas.errors import InvalidRequest
from schemas.results import Encoding, ResultMeta
from schemas.sentences import Sentence
from service.http.translation import warnings_in_language
from service.languages import Language
from service.results.blob import LENGTH_BYTES, header_end, stored_tensors, unreadable

JSON = "application/json"
NPY = "application/x-npy"
SAFETENSORS = "application/vnd.safetensors"
PNG = "image/png"
SVG = "image/svg+xml"
HTML = "text/html"
MEDIA = (JSON, NPY, SAFETENSORS, PNG, SVG, HTML)  # the first is the default
DRAWN = frozenset({PNG, SVG, HTML})  # that take the parameters of a drawing


def formats_of(*, table: bool, text: bool) -> tuple[str, ...]:
    """The formats in which a result is available: SVG for the bars of a table, HTML for texts and tables."""
    available = {SVG: table, HTML: table or text}
    return tuple(media for media in MEDIA if available.get(media, True))


def read_meta(meta: bytes) -> ResultMeta:
    """A stored result without its tensors. Raises `JobHasNoResult` where it is damaged."""
    try:
        return ResultMeta.model_validate_json(meta)
    except ValidationError as error:
        raise unreadable() from error


def meta_in_language(meta: bytes, language: Language) -> bytes:
    """A stored result without its tensors as clients see it: its warnings are in this language."""
    if b'"warning_parts"' not in meta:
        return meta
    document = read_meta(meta)
    said = {"warnings": warnings_in_language(document, language), "warning_parts": []}
    return document.model_copy(update=said).model_dump_json().encode()


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


def seen_pixels(payload: bytes, example: int) -> NDArray[np.uint8]:
    """What the model sees of one picture of a job's payload, (height, width, 3).

    Raises:
        JobHasNoResult: the stored input is damaged.
    """
    pixels = stored_array(payload, "pixels")
    if pixels.ndim == 4 and len(pixels):
        pixels = pixels[min(example, len(pixels) - 1)]
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise unreadable()
    return pixels


def sent_text(payload: bytes, example: int) -> str:
    """One text of a job's payload. Raises as `seen_pixels`."""
    name = "text" if "text" in read_tensors(payload) else f"text.{example}"
    text = stored_array(payload, name)
    if text.dtype != np.uint8:
        raise unreadable()
    try:
        return text.tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise unreadable() from error


def explanation_json(meta: bytes, tensors: bytes, encoding: Encoding = "numbers") -> bytes:
    """The `Explanation` document: the stored JSON, with the values of each tensor written straight from numpy.

    orjson writes NaN and infinity, which JSON cannot express, as null; base64 keeps them. Raises `JobHasNoResult` where
    the stored result is damaged.
    """
    arrays = read_tensors(tensors)
    try:
        document = orjson.loads(meta)
        for spec in document["attributions"]:
            values = np.ascontiguousarray(arrays[spec["name"]]).ravel()
            if encoding == "base64":
                spec |= {"encoding": encoding, "data": base64.b64encode(values.data).decode("ascii")}
            else:
                spec["data"] = values
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
    return b"".join((npy_head(array.dtype, array.shape), np.ascontiguousarray(array).data))


@lru_cache(maxsize=128)  # a model's results have few shapes, and numpy takes longer than to copy a small tensor
def npy_head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What precedes the elements of a row-major array in a .npy file."""
    head = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    return head.getvalue()


def attribution(meta: ResultMeta, tensors: bytes | bytearray, name: str | None = None) -> NDArray[Any]:
    """One attribution tensor, (examples, …): the one named, or the first.

    Raises:
        InvalidRequest: the result holds no tensor of that name.
    """
    return stored_array(tensors, chosen_name([spec.name for spec in meta.attributions], name))


def tensor_names(meta: bytes) -> list[str]:
    """The names of the attributions, then of those on the path. Raises `JobHasNoResult` where the meta is damaged."""
    try:
        document = orjson.loads(meta)
        specs = [*document["attributions"], *(document.get("path") or {"attributions": []})["attributions"]]
        return [spec["name"] for spec in specs]
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable() from error


def chosen_name(names: list[str], name: str | None) -> str:
    """The name that the client has chosen, else the first. Raises `InvalidRequest` if the result has no such tensor."""
    chosen = name if name is not None or not names else names[0]
    if chosen is None or chosen not in names:
        raise InvalidRequest.at(
            ["query", "tensor"], Sentence("no such tensor; the result holds {names}", names=", ".join(names))
        )
    return chosen
