"""Tensors of an Open Inference Protocol request, from JSON or from the bytes behind it, as inputs of ours. Pure."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.errors import InvalidRequest, MalformedBody
from schemas.limits import MAX_EXAMPLES, MAX_INPUT_TENSORS, MAX_TENSOR_ELEMENTS, MAX_TENSOR_RANK
from schemas.models import InputCard
from schemas.nested import flattened, is_nested
from schemas.sentences import Sentence
from service.dialects.instances import Instance, Location, check_count, row

NUMPY = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
WIDER = {"INT8": "INT32", "INT16": "INT32", "UINT16": "INT32", "UINT32": "INT64"}  # to datatypes of our requests
BYTES = "BYTES"
LENGTH_BYTES = 4  # before each element of a BYTES tensor
MAX_COLUMNS = 10_000  # inputs of one request, where each is a column of a table


@dataclass(frozen=True, slots=True)
class GivenTensor:
    """One input: its values in row-major order, numbers or, for BYTES, texts or bytes."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Any]
    base64: bool  # whether its texts are base64, as MLServer's codec sends them
    loc: Location


def read_tensors(given: Any, binary: bytes) -> list[GivenTensor]:
    """The inputs of a request.

    Args:
        binary: what follows the JSON, the data of inputs with `binary_data_size`, one after another.

    Raises:
        InvalidRequest: an input is not a tensor; names it.
        MalformedBody: the sizes do not add up to the bytes that follow.
    """
    if not isinstance(given, list) or not given or len(given) > MAX_COLUMNS:
        raise InvalidRequest.at(["inputs"], "give a list of at least one tensor")
    tensors, at = [], 0
    for index, one in enumerate(given):
        loc: Location = ["inputs", index]
        size = _binary_size(one, len(binary) - at, loc)
        data = None if size is None else binary[at : at + size]
        at += size or 0
        tensors.append(_tensor(one, data, loc))
    if at != len(binary):
        raise MalformedBody("The bytes behind the JSON are not those of binary_data_size.")
    return tensors


def _binary_size(given: Any, left: int, loc: Location) -> int | None:
    if not isinstance(given, dict):
        raise InvalidRequest.at(loc, "a tensor is an object of name, shape, datatype and data")
    parameters = given.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or not 0 <= size <= left:
        raise InvalidRequest.at(
            [*loc, "parameters", "binary_data_size"], "is not the number of bytes that follow for this tensor"
        )
    return size


def _tensor(given: dict[str, Any], binary: bytes | None, loc: Location) -> GivenTensor:
    datatype, shape = given.get("datatype"), given.get("shape")
    if not isinstance(datatype, str) or datatype not in (*NUMPY, BYTES):
        raise InvalidRequest.at([*loc, "datatype"], Sentence("give one of {names}", names=", ".join([*NUMPY, BYTES])))
    if not isinstance(shape, list) or not 1 <= len(shape) <= MAX_TENSOR_RANK:
        raise InvalidRequest.at([*loc, "shape"], Sentence("give a list of 1 to {most} numbers", most=MAX_TENSOR_RANK))
    if any(type(length) is not int or not 1 <= length <= MAX_TENSOR_ELEMENTS for length in shape):
        raise InvalidRequest.at([*loc, "shape"], "a length is a whole number of at least 1")
    count = math.prod(shape)
    most = MAX_EXAMPLES if datatype == BYTES else MAX_TENSOR_ELEMENTS
    if count > most:
        raise InvalidRequest.at(
            [*loc, "shape"], Sentence("{given} elements; at most {most} are accepted", given=count, most=most)
        )
    values = _json_values(given.get("data"), loc) if binary is None else _binary_values(binary, datatype, count, loc)
    if datatype == "BOOL":
        values = [int(value) if isinstance(value, bool) else value for value in values]
    if len(values) != count:
        raise InvalidRequest.at(
            [*loc, "data"], Sentence("the shape needs {count} elements; {given} given", count=count, given=len(values))
        )
    name = given.get("name")
    parameters = given.get("parameters")
    codec = parameters.get("content_type") if isinstance(parameters, dict) else None
    return GivenTensor(name if isinstance(name, str) else "", datatype, shape, values, codec == "base64", loc)


def _json_values(data: Any, loc: Location) -> list[Any]:
    try:
        flat = flattened(data) if is_nested(data) else data
    except ValueError as error:
        raise InvalidRequest.at([*loc, "data"], error.args[0]) from None
    if not isinstance(flat, list):
        raise InvalidRequest.at([*loc, "data"], "a list is needed")
    return flat


def _binary_values(data: bytes, datatype: str, count: int, loc: Location) -> list[Any]:
    """The elements of a tensor's bytes, checked against their number before anything is made of them."""
    if datatype == BYTES:
        return _byte_elements(data, count, loc)
    dtype = np.dtype(NUMPY[datatype])
    if len(data) != count * dtype.itemsize:
        raise InvalidRequest.at(
            [*loc, "parameters", "binary_data_size"],
            Sentence("the shape needs {count} bytes; {given} given", count=count * dtype.itemsize, given=len(data)),
        )
    values: list[Any] = np.frombuffer(data, dtype).tolist()
    return values


def _byte_elements(data: bytes, count: int, loc: Location) -> list[Any]:
    elements: list[Any] = []
    at = 0
    while at < len(data) and len(elements) <= count:
        end = at + LENGTH_BYTES + int.from_bytes(data[at : at + LENGTH_BYTES], "little")
        if at + LENGTH_BYTES > len(data) or end > len(data):
            raise InvalidRequest.at([*loc, "data"], "an element is longer than the bytes of its tensor")
        elements.append(data[at + LENGTH_BYTES : end])
        at = end
    return elements


def read_inputs(tensors: Sequence[GivenTensor], card: InputCard) -> list[Instance] | tuple[dict[str, Any], int]:
    """The examples of the tensors: a list, or the whole input of a request of ours and the number of its examples.

    Raises:
        InvalidRequest: the tensors are not what the model takes.
    """
    if card.kind == "tabular":
        return _rows(tensors, [column.name for column in card.features or []])
    if card.kind == "text" or tensors[0].datatype == BYTES:
        return _byte_instances(tensors, card)
    if len(tensors) > MAX_INPUT_TENSORS or any(one.datatype == BYTES for one in tensors):
        raise InvalidRequest.at(["inputs"], "the model takes tensors of numbers")
    whole = [
        {
            "name": one.name[:200],
            "datatype": WIDER.get(one.datatype, one.datatype),
            "shape": one.shape,
            "data": one.values,
        }
        for one in tensors
    ]
    count = tensors[0].shape[0]
    return ({"tensor": whole[0]} if len(whole) == 1 else {"tensors": whole}), count


def _byte_instances(tensors: Sequence[GivenTensor], card: InputCard) -> list[Instance]:
    first = tensors[0]
    if len(tensors) > 1 or first.datatype != BYTES or card.kind not in ("image", "text"):
        raise InvalidRequest.at(["inputs"], _takes(card))
    read = _picture if card.kind == "image" else _text
    return [Instance({card.kind: read(value, first, index)}) for index, value in enumerate(first.values)]


def _takes(card: InputCard) -> str:
    if card.kind in ("image", "text"):
        return Sentence("the model takes one BYTES tensor, with a {kind} as each element", kind=card.kind)
    return Sentence("the model takes tensors of numbers")


def _picture(value: Any, tensor: GivenTensor, index: int) -> str:
    """A picture as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if not isinstance(value, str):
        raise InvalidRequest.at([*tensor.loc, "data", index], "give a picture as base64")
    return value


def _text(value: Any, tensor: GivenTensor, index: int) -> str:
    loc: Location = [*tensor.loc, "data", index]
    if not isinstance(value, str | bytes):
        raise InvalidRequest.at(loc, "give a text")
    try:
        encoded = base64.b64decode(value, validate=True) if tensor.base64 and isinstance(value, str) else value
        return encoded if isinstance(encoded, str) else encoded.decode("utf-8")
    except ValueError:
        raise InvalidRequest.at(loc, "not UTF-8 text") from None


def _rows(tensors: Sequence[GivenTensor], columns: Sequence[str]) -> list[Instance]:
    """The rows of a table: one tensor (rows, columns), or a tensor for each column, named after it."""
    for one in tensors:
        if one.datatype == BYTES:
            raise InvalidRequest.at([*one.loc, "datatype"], "the model takes numbers")
    first = tensors[0]
    if len(tensors) == 1 and first.name not in columns:
        width = first.shape[-1]
        count = len(first.values) // width
        check_count(count, first.loc)
        cells = [first.values[at : at + width] for at in range(0, len(first.values), width)]
        return [Instance({"features": row(one, columns, first.loc)}) for one in cells]
    check_count(len(first.values), first.loc)
    for one in tensors:
        if len(one.values) != len(first.values):
            raise InvalidRequest.at([*one.loc, "shape"], "all columns need the same number of rows")
    return [
        Instance({"features": {one.name: one.values[index] for one in tensors}}, named=True)
        for index in range(len(first.values))
    ]
