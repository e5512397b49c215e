"""How the sheet of a comparison is drawn: the query parameters of `sheet.png`."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.limits import MAX_EXAMPLES
from service.drawing.overlay_options import OverlayOptions
from service.languages import Language
from service.tuning import MAX_SHEET_PIXELS


class SheetQuery(OverlayOptions):
    """The query parameters of `sheet.png`: those of `overlay.png`, and the scale."""

    style: Literal["blend", "heatmap", "masked"] = Field(
        default="blend", description="As of overlay.png; the sheet shows the picture once, in a panel of its own."
    )
    caption: Literal[True] = Field(default=True, description="A sheet is always captioned.")
    scale: Literal["own", "shared"] = Field(
        default="own",
        description="own: each map has its own scale, as in overlay.png. shared: the scale of the strongest map for "
        "all. Words and bars always have their own.",
    )
    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="The example to draw, counted from 0.")] = 0
    lang: Language | None = Field(default=None, description="Language of the words. Default: by `Accept-Language`.")
    size: int = Field(
        default=320,
        ge=64,
        le=1024,
        description=f"Longer side of one panel in pixels; less where all would exceed {MAX_SHEET_PIXELS} pixels.",
    )
