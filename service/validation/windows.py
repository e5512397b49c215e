"""The windows of occlusion, as Captum needs them: over one example, no larger than it, without gaps."""

from math import ceil, prod
from typing import Any

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, Occlusion
from service.validation.model import ReadyModel

MAX_UNIT_WINDOWS = 1_024  # elements of an example that are covered one by one when no window is given


def window_fields(method: AnyMethod, model: ReadyModel) -> dict[str, Any]:
    """The window and strides to fill in.

    Raises:
        InvalidRequest: they do not fit one example, or none are given and the example is too large for single elements.
    """
    if not isinstance(method, Occlusion):
        return {}
    window, strides = method.sliding_window_shapes, method.strides
    if window is None:
        if strides is not None:
            raise InvalidRequest.at(["method", "sliding_window_shapes"], "strides need a window")
        window, strides = _default(model)
    strides = strides or window
    for shape in model.input.shapes:
        _check("sliding_window_shapes", window, shape, "the example's extent")
    _check("strides", strides, window, "the window, which would leave gaps")
    return {"sliding_window_shapes": window, "strides": strides}


def count_windows(shape: list[int], window: list[int], strides: list[int]) -> int:
    """Positions of the window over one example, the last one clipped, as Captum counts them."""
    return prod(1 + ceil((extent - w) / s) for extent, w, s in zip(shape, window, strides, strict=True))


def _default(model: ReadyModel) -> tuple[list[int], list[int]]:
    """Pictures: an eighth of each side, moved by half a window. Others: each token, column or element."""
    shape = model.input.shapes[0]
    if model.input.kind == "image":
        channels, *sides = shape
        return [channels, *(ceil(s / 8) for s in sides)], [channels, *(ceil(s / 16) for s in sides)]
    if model.input.kind == "text":
        return [1], [1]
    if len({len(other) for other in model.input.shapes}) > 1 or sum(map(prod, model.input.shapes)) > MAX_UNIT_WINDOWS:
        raise InvalidRequest.at(
            ["method", "sliding_window_shapes"],
            f"give a window: one example has more than {MAX_UNIT_WINDOWS} elements, or its inputs differ in rank",
        )
    return [1] * len(shape), [1] * len(shape)


def _check(field: str, extents: list[int], limits: list[int], what: str) -> None:
    if len(extents) != len(limits):
        raise InvalidRequest.at(["method", field], f"{len(limits)} numbers are needed, {len(extents)} given")
    for index, (extent, limit) in enumerate(zip(extents, limits, strict=True)):
        if extent > limit:
            raise InvalidRequest.at(["method", field, index], f"larger than {limit}, {what}")
