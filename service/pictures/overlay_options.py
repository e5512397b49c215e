"""How a heat map is drawn: the query parameters of `overlay.png`."""

from typing import Literal

from pydantic import Field

from schemas.base import Strict

Style = Literal["blend", "heatmap", "masked", "side_by_side"]
Sign = Literal["absolute", "positive", "negative", "all"]
Sequential = Literal["inferno", "magma", "plasma", "viridis", "cividis", "turbo", "jet", "hot", "ice", "gray"]
Diverging = Literal["coolwarm", "RdBu_r", "bwr", "seismic", "vik", "PuOr_r"]
ColormapName = Literal[Sequential, Diverging]


class OverlayOptions(Strict):
    """The options of a drawing. They change only the drawing: the stored attribution is not computed again."""

    style: Style = Field(
        default="blend",
        description="blend: heat over a grey picture, opaque where it is strong. heatmap: the map alone, with its "
        "colour bar. masked: the picture, bright where the attribution is strong. side_by_side: picture, map and blend "
        "with captions and a colour bar.",
    )
    sign: Sign = Field(
        default="absolute",
        description="The part of the attribution, summed over channels, that is drawn: its absolute value, what raises "
        "the target's score (positive), what lowers it (negative), or both in two colours (all).",
    )
    colormap: ColormapName | None = Field(
        default=None,
        description="Default: a colour map that suits the sign. Diverging maps draw the positive in their upper half.",
    )
    alpha: float = Field(default=0.75, ge=0.0, le=1.0, description="Opacity of the strongest heat in a blend.")
    percentile: float = Field(
        default=99.0,
        ge=50.0,
        le=100.0,
        description="The percentile of the map's strength from which on the strongest colour is used.",
    )
    limit: float | None = Field(
        default=None,
        ge=1e-30,
        le=1e30,
        description="The attribution that gets the strongest colour, instead of a percentile of this map. "
        "Pictures drawn with the same limit can be compared.",
    )
    smooth: float = Field(
        default=0.015,
        ge=0.0,
        le=0.1,
        description="Gaussian smoothing: sigma as a fraction of the longer side. 0: none.",
    )
    size: int = Field(
        default=512,
        ge=64,
        le=2048,
        description="Longer side of the picture in pixels. A colour bar is added to it. With side_by_side, each of the "
        "three panels has this size, up to 1024.",
    )
