"""From what a caller gives to the `input` of a request, by what it is and by what the model takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attribution_client.errors import InputError
from attribution_client.inputs.arrays import as_array, as_json, is_array, tensor_of
from attribution_client.inputs.files import file_input
from attribution_client.inputs.pictures import encoded_file, encoded_pil_image, encoded_pixels, is_pil_image, is_pixels
from attribution_client.inputs.tables import is_frame, is_series, row_of, rows_of_array, rows_of_frame
from attribution_client.wire.answers import ModelCard
from attribution_client.wire.limits import MAX_EXAMPLES
from attribution_client.wire.requests import Input

InputKind = Literal["image", "tabular", "text", "tensor"]
KINDS: dict[str, InputKind] = {
    "image": "image",
    "text": "text",
    "features": "tabular",
    "tensor": "tensor",
    "tensors": "tensor",
}  # by the key of a request's input


@dataclass(frozen=True)
class Prepared:
    """The `input` of a request. `single`: the caller gave one example without a batch axis."""

    body: Input
    single: bool


def kind_of(given: Any) -> InputKind:
    """What kind of model could take this, where the caller names none.

    Raises:
        InputError: nothing could.
    """
    key = wire_key(given) or (_key(file_input(given)) if isinstance(given, os.PathLike) else None)
    if key is not None:
        return KINDS[key]
    if is_array(given):
        return _kind_of_array(as_array(given))
    if isinstance(given, (list, tuple)) and given:
        return "tabular" if isinstance(given[0], Real) else kind_of(given[0])
    return KINDS[_kind_of_one(given)]


def _kind_of_one(given: Any) -> str:
    """The key of the wire for one example that is neither a file nor an array."""
    if isinstance(given, str):
        return "text"
    if isinstance(given, bytes) or is_pil_image(given):
        return "image"
    if isinstance(given, Mapping) or is_frame(given) or is_series(given):
        return "features"
    raise _no_input(given)


def as_path(given: Any) -> Any:
    """A path instead of a string that names a file: for callers who name no model that decides it."""
    if isinstance(given, str) and len(given) < 4096 and "\0" not in given and Path(given).is_file():
        return Path(given)
    return [as_path(one) for one in given] if isinstance(given, (list, tuple)) else given


def prepare(given: Any, card: ModelCard) -> Prepared:
    """The `input` of a request to this model.

    Arrays of bytes are pictures; other arrays are model-ready tensors, except that a model for tables takes arrays in
    the table's own units, in the order of its columns. A string is a text for a model for texts, else a path.

    Raises:
        InputError: this is no input of the model.
    """
    kind = card.input.kind if card.input else kind_of(given)
    key = wire_key(given)
    if key is not None and not (kind == "tabular" and key in _columns(card)):
        single = key in {"image", "text", "features"} and not isinstance(given[key], list)
        return Prepared(as_json(given), single)
    if is_frame(given):
        return Prepared({"features": rows_of_frame(given)}, single=False)
    if is_array(given):
        return _of_array(as_array(given), kind, card)
    if isinstance(given, (list, tuple)):
        return _of_list(given, kind, card)
    return Prepared(_single(given, kind), single=True)


def wire_key(given: Any) -> str | None:
    """The key of an input that is already as on the wire; None if it is not."""
    is_wire = isinstance(given, Mapping) and len(given) == 1 and next(iter(given)) in KINDS
    return str(next(iter(given))) if is_wire else None


def _single(given: Any, kind: InputKind) -> Input:
    """One example that is no array."""
    if isinstance(given, str):
        return {"text": given} if kind == "text" else file_input(given)
    if isinstance(given, os.PathLike):
        return file_input(given)
    if isinstance(given, bytes):
        return {"image": encoded_file(given)}
    if is_pil_image(given):
        return {"image": encoded_pil_image(given)}
    if is_series(given):
        return {"features": row_of(given.to_dict())}
    if isinstance(given, Mapping):
        return {"features": row_of(given)}
    raise _no_input(given)


def _no_input(given: Any) -> InputError:
    return InputError(f"{type(given).__name__} is no input; give a path, bytes, a picture, an array, a row or a text")


def _of_array(array: NDArray[Any], kind: InputKind, card: ModelCard) -> Prepared:
    if kind == "tabular" and array.ndim <= 2 and array.ndim:
        rows = rows_of_array(array, card)
        return Prepared({"features": rows[0] if array.ndim == 1 else rows}, single=array.ndim == 1)
    if kind == "image" and is_pixels(array):
        return Prepared({"image": encoded_pixels(array)}, single=True)
    if kind == "image" and array.ndim == 4 and all(is_pixels(one) for one in array[:1]):
        _check_count(len(array))
        return Prepared({"image": [encoded_pixels(one) for one in array]}, single=False)
    shapes = card.input.shapes if card.input else []
    single = bool(shapes) and array.ndim == len(shapes[0])
    return Prepared({"tensor": tensor_of(array[None] if single else array)}, single)


def _of_list(given: Sequence[Any], kind: InputKind, card: ModelCard) -> Prepared:
    """Several examples; or one row of numbers, or the tensors of a model that takes several."""
    if not given:
        raise InputError("an empty list is no input")
    if all(isinstance(one, Real) for one in given):
        return _of_array(np.asarray(given), kind, card)
    if kind == "tabular" and all(isinstance(one, (list, tuple)) for one in given):
        return _of_array(as_array(np.asarray(given)), kind, card)
    if card.input and len(card.input.shapes) > 1 and all(map(is_array, given)):
        tensors = [tensor_of(as_array(one), f"input.{place}") for place, one in enumerate(given)]
        return Prepared({"tensors": tensors}, single=False)
    _check_count(len(given))
    each = [prepare(one, card) for one in given]
    keys = {_key(one.body) for one in each}
    if len(keys) != 1 or not all(one.single for one in each):
        raise InputError("a list holds inputs of one kind, each a single one; use map() for others")
    (key,) = keys
    if key == "tensor":
        return Prepared({"tensor": tensor_of(np.stack([as_array(one) for one in given]))}, single=False)
    joined: Any = {key: [one.body[key] for one in each]}  # type: ignore[literal-required]
    return Prepared(joined, single=False)


def _check_count(examples: int) -> None:
    if examples > MAX_EXAMPLES:
        raise InputError(f"one request takes {MAX_EXAMPLES} examples, not {examples}; use map()")


def _columns(card: ModelCard) -> set[str]:
    return {feature.name for feature in (card.input.features if card.input else None) or []}


def _key(body: Input) -> str:
    return next(iter(body))


def _kind_of_array(array: NDArray[Any]) -> InputKind:
    if is_pixels(array) or (array.ndim == 4 and array.dtype == np.uint8):
        return "image"
    return "tabular" if array.ndim in {1, 2} else "tensor"
