"""Animates the path of a result of Integrated Gradients."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas.base import Strict
from schemas.errors import InvalidRequest, NotAcceptable, PathNotFound
from schemas.limits import MAX_EXAMPLES
from schemas.results import AttributionPath, ResultMeta
from schemas.sentences import Sentence
from service.drawing.overlay_options import ColormapName, OverlayOptions, Sign
from service.drawing.path_animation import render_path
from service.languages import Language
from service.results.formats import read_tensors, seen_pixels, stored_array
from service.results.overlay_caption import completed, overlay_caption, target_words
from service.tuning import MAX_ANIMATION_PIXELS

BASELINE = "path.baseline"  # the pixels of a picture's baseline, as a worker stores them


class PathQuery(Strict):
    """The query parameters of `path.webp`; those of the map mean the same as in `overlay.png`."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="The example to draw, counted from 0.")] = 0
    size: Annotated[
        int, Field(ge=64, le=MAX_ANIMATION_PIXELS, description="Longer side of picture and map in pixels.")
    ] = 320
    frame_ms: Annotated[int, Field(ge=20, le=5_000, description="Milliseconds of one frame.")] = 200
    sign: Sign = "absolute"
    colormap: ColormapName | None = None
    percentile: Annotated[float, Field(ge=50.0, le=100.0)] = 99.0
    limit: Annotated[float | None, Field(ge=1e-30, le=1e30)] = None
    smooth: Annotated[float | None, Field(ge=0.0, le=0.1)] = None
    lang: Language | None = Field(default=None, description="Language of the words. Default: by `Accept-Language`.")

    def overlay(self) -> OverlayOptions:
        """The options of the map."""
        return OverlayOptions(**self.model_dump(exclude={"example", "frame_ms", "lang"}))


def find_path(meta: ResultMeta) -> AttributionPath:
    """The path of the result.

    Raises:
        PathNotFound: the request wanted no frames, or another method.
    """
    if meta.path is None:
        raise PathNotFound("the result holds no path: ask integrated_gradients for frames")
    return meta.path


def draw_path(
    meta: ResultMeta, tensors: bytes | bytearray, payload: bytes, query: PathQuery, language: Language
) -> bytes:
    """Draw an animated WebP of one example. CPU work: run it in a thread.

    Raises:
        PathNotFound: as `find_path`.
        InvalidRequest: the job has no such example.
        NotAcceptable: attributions of this shape cannot be drawn.
    """
    path = find_path(meta)
    if query.example >= len(path.examples):
        raise InvalidRequest.at(
            ["query", "example"],
            Sentence("the job has {examples} examples, counted from 0", examples=len(path.examples)),
        )
    maps = stored_array(tensors, path.attributions[0].name)[query.example]  # (points, C, H, W)
    if maps.ndim != 4:
        raise NotAcceptable("only maps of pictures are animated; GET /jobs/{id}/path has the numbers of this path")
    proportions = None
    if meta.picture is not None:
        left, top, right, bottom = meta.picture.crop
        proportions = right - left, bottom - top
    return render_path(
        _ends(tensors, payload, query.example),
        maps,
        path.examples[query.example],
        completed(meta, query.overlay()),
        frame_ms=query.frame_ms,
        target=target_words(meta, query.example),
        lang=language,
        proportions=proportions,
        caption=overlay_caption(meta, query.example, language),
    )


def _ends(
    tensors: bytes | bytearray, payload: bytes, example: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """What baseline and input look like, (H, W, 3); None if the input is no picture."""
    baselines: NDArray[Any] | None = read_tensors(tensors).get(BASELINE)
    if baselines is None or not payload:
        return None
    return baselines[min(example, len(baselines) - 1)], seen_pixels(payload, example)
