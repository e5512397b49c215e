"""How a heat map is drawn: the query parameters of `overlay.png`."""

from typing import Literal, Self

from pydantic import Field

from schemas.base import Strict
from service.tuning import MAX_DRAWING_PIXELS, REGION_SMOOTHING

Style = Literal["blend", "heatmap", "masked", "side_by_side"]
Sign = Literal["absolute", "positive", "negative", "all"]
Sequential = Literal["inferno", "magma", "plasma", "viridis", "cividis", "turbo", "jet", "hot", "ice", "gray"]
Diverging = Literal["coolwarm", "RdBu_r", "bwr", "seismic", "vik", "PuOr_r"]
ColormapName = Literal[Sequential, Diverging]


class OverlayOptions(Strict):
    """The options of a drawing. They change only the drawing: the stored attribution is not computed again."""

    style: Style = Field(
        default="blend",
        description="blend: heat over the picture in its own colours, opaque where it is strong. heatmap: the map "
        "alone. masked: the picture, bright where the attribution is strong. side_by_side: picture, map and blend. "
        "All but masked have a colour bar.",
    )
    sign: Sign = Field(
        default="absolute",
        description="The part of the attribution, summed over channels, that is drawn: its absolute value, what raises "
        "the target's score (positive), what lowers it (negative), or both in two colours on a scale centred on "
        "zero (all).",
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
    smooth: float | None = Field(
        default=None,
        ge=0.0,
        le=0.1,
        description="Gaussian smoothing: sigma as a fraction of the longer side. 0: none. Default: 0 for methods that "
        f"give each pixel an attribution of its own, such as saliency; {REGION_SMOOTHING} for regions and layers.",
    )
    caption: bool = Field(
        default=True,
        description="Whether the caption and the colour bar are drawn. Without them, the picture has exactly the size "
        "of the map, to be laid over the photograph.",
    )
    size: int = Field(
        default=512,
        ge=64,
        le=MAX_DRAWING_PIXELS,
        description="Longer side of the map in pixels; 4096 print 35 cm at 300 dots per inch. Caption and colour bar "
        "are added to it. With side_by_side, each of the three panels has this size, up to 2048.",
    )

    @property
    def smoothing(self) -> float:
        """The smoothing that is drawn; that of regions if the options name none and no method has filled it in."""
        return REGION_SMOOTHING if self.smooth is None else self.smooth

    def completed(self, *, smooths_maps: bool) -> Self:
        """The options with the smoothing of a method filled in, unless they name one."""
        if self.smooth is not None:
            return self
        return self.model_copy(update={"smooth": REGION_SMOOTHING if smooths_maps else 0.0})
