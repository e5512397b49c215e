"""The picture of a result: a heat map over what the model saw, or words or columns with their scores."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from safetensors.numpy import load

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.limits import MAX_EXAMPLES
from schemas.results import ResultMeta
from service.pictures.feature_bars import render_bars
from service.pictures.overlay_options import Language, OverlayOptions
from service.pictures.image_overlay import render_overlay
from service.pictures.colored_text import render_text
from service.results.formats import attribution

T = TypeVar("T")
SHEET_WIDTH = 720  # pixels, of words and bars where no size is asked for


class OverlayQuery(OverlayOptions):
    """The query parameters of `overlay.png`. Words and bars follow `size` and `example` alone."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="Which row of the request's own batch.")] = 0


def needs_payload(meta: ResultMeta) -> bool:
    """Whether the drawing shows the input itself, which lies in the job's payload."""
    return meta.picture is not None or meta.words is not None


def draw(meta: ResultMeta, tensors: bytes, payload: bytes, options: OverlayQuery, language: Language) -> bytes:
    """A PNG. `payload` may be empty unless `needs_payload`. CPU work: run in a thread.

    Raises:
        InvalidRequest: no such example.
        NotAcceptable: the attributions have no shape that can be drawn.
    """
    width = options.size if "size" in options.model_fields_set else SHEET_WIDTH
    if meta.words is not None:
        text = load(payload)["text"].tobytes().decode("utf-8")
        words = _example(meta.words, options)
        return render_text(text, words, title=_title(meta, options), lang=language, size=width)
    if meta.features is not None:
        columns = _example(meta.features, options)
        return render_bars(columns, title=_title(meta, options), lang=language, size=width)
    return _heat_map(meta, attribution(meta, tensors), payload, options, language)


def _heat_map(meta: ResultMeta, maps: NDArray[Any], payload: bytes, options: OverlayQuery, language: Language) -> bytes:
    """`maps` is (examples, channels, height, width); of a tensor input it is drawn alone."""
    if maps.ndim != 4:
        raise NotAcceptable(f"attributions of shape {list(maps.shape)} are no maps and have no picture")
    view = proportions = None
    if meta.picture is not None:
        view = Image.fromarray(load(payload)["pixels"])
        left, top, right, bottom = meta.picture.crop
        proportions = right - left, bottom - top
    return render_overlay(view, _example(maps, options), options, lang=language, proportions=proportions)


def _example(examples: Sequence[T] | NDArray[Any], options: OverlayQuery) -> Any:
    if options.example >= len(examples):
        raise InvalidRequest.at(["query", "example"], f"the job has {len(examples)} examples, counted from 0")
    return examples[options.example]


def _title(meta: ResultMeta, options: OverlayQuery) -> str:
    """What is explained, and by which method."""
    method = str(meta.method["name"])
    if not meta.target:
        return method
    target = meta.target[options.example]
    return f"{target.words()} · {method}"
