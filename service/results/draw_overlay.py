"""Draws the overlay of a result: a heat map over what the model saw, or words or columns with their scores."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.limits import MAX_EXAMPLES, MAX_FRAMES
from schemas.results import ResultMeta
from schemas.sentences import Sentence
from service.drawing.captions import CAPTIONS
from service.drawing.colored_text import render_text
from service.drawing.feature_bars import render_bars
from service.drawing.heatmap import heat_map, map_size
from service.drawing.image_overlay import fitted, render_overlay
from service.drawing.overlay_options import OverlayOptions
from service.languages import Language
from service.results.draw_path import find_path
from service.results.formats import attribution, seen_pixels, sent_text, stored_array
from service.results.overlay_caption import completed, overlay_caption, overlay_title
from service.tuning import MAX_LETTER_PIXELS

T = TypeVar("T")
SHEET_WIDTH = 720  # pixels: the width of words and bars if the request names no size


class OverlayQuery(OverlayOptions):
    """The query parameters of `overlay.png`. Words and bars use only `size` and `example`."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="The example to draw, counted from 0.")] = 0
    frame: Annotated[int | None, Field(ge=0, lt=MAX_FRAMES)] = Field(
        default=None,
        description="Of a result with frames: the point of the path, counted from 0, whose attributions so far are "
        "drawn, on the scale of the whole map.",
    )
    text: Annotated[int | None, Field(ge=8, le=MAX_LETTER_PIXELS)] = Field(
        default=None,
        description="Size of the letters in pixels, so that a caption is legible where the drawing is shown smaller "
        "than it is. Default: by the size.",
    )
    lang: Language | None = Field(default=None, description="Language of the words. Default: by `Accept-Language`.")


def needs_payload(meta: ResultMeta) -> bool:
    """Whether the drawing shows the input itself, which is in the job's payload."""
    return meta.picture is not None or meta.words is not None


def sheet_width(options: OverlayOptions) -> int:
    """The width of words and bars in pixels."""
    return options.size if "size" in options.model_fields_set else SHEET_WIDTH


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
    width = sheet_width(options)
    if meta.words is not None:
        words = _example(meta.words, options)
        text = sent_text(payload, options.example)
        title = overlay_title(meta, options.example, language, width)
        return render_text(text, words, title=title, lang=language, size=width)
    if meta.features is not None:
        columns = _example(meta.features, options)
        title = overlay_title(meta, options.example, language, width)
        return render_bars(columns, title=title, lang=language, size=width)
    return _heat_map(meta, tensors, payload, options, language)


def draw_vector(meta: ResultMeta, options: OverlayQuery, language: Language) -> bytes:
    """Draw the bars of one row of a table as SVG. CPU work: run it in a thread.

    Raises:
        InvalidRequest: the job has no such example.
    """
    width = sheet_width(options)
    columns = _example(meta.features or [], options)
    title = overlay_title(meta, options.example, language, width)
    return render_bars(columns, title=title, lang=language, size=width, vector=True)


def _heat_map(
    meta: ResultMeta, tensors: bytes | bytearray, payload: bytes, options: OverlayQuery, language: Language
) -> bytes:
    """Draw the map of one example over the picture, or alone if the input is a tensor."""
    maps = attribution(meta, tensors)  # (examples, channels, height, width)
    if maps.ndim != 4:
        raise NotAcceptable(
            Sentence("attributions of shape {shape} cannot be drawn: a map has four dimensions", shape=list(maps.shape))
        )
    picture = proportions = None
    if meta.picture is not None:
        picture = Image.fromarray(seen_pixels(payload, options.example))
        left, top, right, bottom = meta.picture.crop
        proportions = right - left, bottom - top
    drawn, options = _example(maps, options), completed(meta, options)
    caption = overlay_caption(meta, options.example, language)
    if options.frame is not None:
        size = fitted(proportions or (picture.size if picture else map_size(drawn)), options.size)
        options = _on_scale_of(drawn, options, size)
        alpha, drawn = _partial_map(meta, tensors, options)
        caption.append([CAPTIONS[language]["frame"].format(value=f"{alpha:.2f}")])
    return render_overlay(
        picture, drawn, options, lang=language, proportions=proportions, caption=caption, text=options.text
    )


def _on_scale_of(whole: NDArray[Any], options: OverlayQuery, size: tuple[int, int]) -> OverlayQuery:
    """The options with the scale of a whole map of this size, unless they name one."""
    if options.limit is not None:
        return options
    return options.model_copy(update={"limit": heat_map(whole, options, size).limit or None})


def _partial_map(meta: ResultMeta, tensors: bytes | bytearray, options: OverlayQuery) -> tuple[float, NDArray[Any]]:
    """A point of the example's path, and what had been added up there.

    Raises:
        PathNotFound: the result holds no path.
        InvalidRequest: the path has no such point.
    """
    path, frame = find_path(meta), options.frame or 0
    alphas = path.examples[options.example].alphas
    if frame >= len(alphas):
        raise InvalidRequest.at(
            ["query", "frame"], Sentence("the path has {count} points, counted from 0", count=len(alphas))
        )
    return alphas[frame], stored_array(tensors, path.attributions[0].name)[options.example, frame]


def _example(examples: Sequence[T] | NDArray[Any], options: OverlayQuery) -> Any:
    if options.example >= len(examples):
        raise InvalidRequest.at(
            ["query", "example"], Sentence("the job has {examples} examples, counted from 0", examples=len(examples))
        )
    return examples[options.example]
