"""Draws the overlay of a result: a heat map over what the model saw, or words or columns with their scores."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.limits import MAX_EXAMPLES
from schemas.results import ResultMeta
from service.languages import Language
from service.pictures.colored_text import render_text
from service.pictures.feature_bars import render_bars
from service.pictures.image_overlay import render_overlay
from service.pictures.overlay_options import OverlayOptions
from service.results.formats import attribution, stored_pixels, stored_text

T = TypeVar("T")
SHEET_WIDTH = 720  # pixels: the width of words and bars if the request names no size


class OverlayQuery(OverlayOptions):
    """The query parameters of `overlay.png`. Words and bars use only `size` and `example`."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="The example to draw, counted from 0.")] = 0


def needs_payload(meta: ResultMeta) -> bool:
    """Whether the drawing shows the input itself, which is in the job's payload."""
    return meta.picture is not None or meta.words is not None


def draw_overlay(
    meta: ResultMeta, tensors: bytes | bytearray, payload: bytes, options: OverlayQuery, language: Language
) -> bytes:
    """Draw a PNG of one example. CPU work: run it in a thread.

    Args:
        tensors: the stored attributions, a safetensors blob.
        payload: the job's payload; may be empty unless `needs_payload`.

    Raises:
        InvalidRequest: the job has no such example.
        NotAcceptable: attributions of this shape cannot be drawn.
        JobHasNoResult: the stored result or input is damaged.
    """
    width = options.size if "size" in options.model_fields_set else SHEET_WIDTH
    if meta.words is not None:
        text = stored_text(payload)
        words = _example(meta.words, options)
        return render_text(text, words, title=_title(meta, options), lang=language, size=width)
    if meta.features is not None:
        columns = _example(meta.features, options)
        return render_bars(columns, title=_title(meta, options), lang=language, size=width)
    return _heat_map(meta, attribution(meta, tensors), payload, options, language)


def _heat_map(meta: ResultMeta, maps: NDArray[Any], payload: bytes, options: OverlayQuery, language: Language) -> bytes:
    """Draw one of `maps`, (examples, channels, height, width), over the picture, or alone if the input is a tensor."""
    if maps.ndim != 4:
        raise NotAcceptable(f"attributions of shape {list(maps.shape)} cannot be drawn: a map has four dimensions")
    picture = proportions = None
    if meta.picture is not None:
        picture = Image.fromarray(stored_pixels(payload))
        left, top, right, bottom = meta.picture.crop
        proportions = right - left, bottom - top
    return render_overlay(picture, _example(maps, options), options, lang=language, proportions=proportions)


def _example(examples: Sequence[T] | NDArray[Any], options: OverlayQuery) -> Any:
    if options.example >= len(examples):
        raise InvalidRequest.at(["query", "example"], f"the job has {len(examples)} examples, counted from 0")
    return examples[options.example]


def _title(meta: ResultMeta, options: OverlayQuery) -> str:
    """The target and the method."""
    method = str(meta.method["name"])
    if not meta.target:
        return method
    target = meta.target[options.example]
    return f"{target.words()} · {method}"
