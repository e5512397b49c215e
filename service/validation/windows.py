"""Checks the windows of occlusion: no larger than one example, and without gaps between them."""

from math import ceil, prod
from typing import Any

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, Occlusion, Windows
from schemas.sentences import Sentence, words
from service.validation.model import ReadyModel
from service.validation.tensors import Location

MAX_UNIT_WINDOWS = 1_024  # elements of an example that are occluded one by one if no window is given
EXTENT = "the example's extent"
GAPS = "the window, which would leave gaps"


def window_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The windows and strides to fill in: flat for a model of one input, else one per input.

    Raises:
        InvalidRequest: they do not fit one example, or none is given and the example is too large for single elements.
    """
    if not isinstance(method, Occlusion):
        return {}
    shapes = model.input.shapes
    if method.sliding_window_shapes is None:
        if method.strides is not None:
            raise InvalidRequest.at(
                ["method", "sliding_window_shapes"], "strides need a window; give sliding_window_shapes"
            )
        windows, strides = _default(model)
    else:
        windows = _given("sliding_window_shapes", method.sliding_window_shapes, shapes)
        strides = _given("strides", method.strides or _ones(windows), shapes)
    for index, (window, stride, shape) in enumerate(zip(windows, strides, shapes, strict=True)):
        at = [index] if len(shapes) > 1 else []
        _check(["method", "sliding_window_shapes", *_place(method.sliding_window_shapes, at)], window, shape, EXTENT)
        _check(["method", "strides", *_place(method.strides, at)], stride, window, GAPS)
    if len(shapes) == 1:
        return {"sliding_window_shapes": windows[0], "strides": strides[0]}
    return {"sliding_window_shapes": windows, "strides": strides}


def per_input(windows: list[Any], inputs: int) -> list[list[int]]:
    """One window for each input of the model, from one for all inputs or a list."""
    nested = bool(windows) and isinstance(windows[0], list)
    return windows if nested else [windows] * inputs


def count_windows(shape: list[int], window: list[int], strides: list[int]) -> int:
    """The number of positions of the window over one example, including the last, clipped one, as Captum counts."""
    return prod(1 + ceil((extent - w) / s) for extent, w, s in zip(shape, window, strides, strict=True))


def _given(field: str, windows: Windows, shapes: list[list[int]]) -> list[list[int]]:
    each = per_input(windows, len(shapes))
    if len(each) != len(shapes):
        raise InvalidRequest.at(
            ["method", field],
            Sentence(
                "the model has {count} inputs: give a window for each; {given} given",
                count=len(shapes),
                given=len(each),
            ),
        )
    return each


def _place(windows: Windows | None, index: list[int]) -> list[int]:
    return index if windows and isinstance(windows[0], list) else []


def _ones(windows: list[list[int]]) -> list[list[int]]:
    """Captum's default: a step of one along each dimension."""
    return [[1] * len(window) for window in windows]


def _default(model: ReadyModel) -> tuple[list[list[int]], list[list[int]]]:
    """Pictures: an eighth of each side, moved by half a window. Others: each token, column or element."""
    shapes = model.input.shapes
    if model.input.kind == "image":
        channels, *sides = shapes[0]
        return [[channels, *(ceil(s / 8) for s in sides)]], [[channels, *(ceil(s / 16) for s in sides)]]
    if model.input.kind == "text":
        return [[1]], [[1]]
    if sum(map(prod, shapes)) > MAX_UNIT_WINDOWS:
        raise InvalidRequest.at(
            ["method", "sliding_window_shapes"],
            Sentence("give a window: one example has more than {most} elements", most=MAX_UNIT_WINDOWS),
        )
    units = _ones(shapes)
    return units, units


def _check(loc: Location, extents: list[int], limits: list[int], what: str) -> None:
    if len(extents) != len(limits):
        raise InvalidRequest.at(
            loc, Sentence("{count} numbers are needed; {given} given", count=len(limits), given=len(extents))
        )
    for index, (extent, limit) in enumerate(zip(extents, limits, strict=True)):
        if extent > limit:
            raise InvalidRequest.at(
                [*loc, index], Sentence("larger than {limit}, {what}", limit=limit, what=words(what))
            )
