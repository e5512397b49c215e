"""Colours of strengths and scores."""

from functools import lru_cache
from typing import Any, Final, get_args

import numpy as np
from cmap import Colormap
from numpy.typing import NDArray

from service.drawing.heatmap import Strength
from service.drawing.overlay_options import ColormapName, Diverging, Sign

Pixels = NDArray[np.uint8]  # (H, W, 3)

SOURCES: Final[dict[ColormapName, str]] = {  # full names, because short ones are ambiguous in cmap's catalogue
    "inferno": "bids:inferno",
    "magma": "bids:magma",
    "plasma": "bids:plasma",
    "viridis": "bids:viridis",
    "cividis": "cividis:cividis",
    "turbo": "google:turbo",
    "jet": "matlab:jet",
    "hot": "matlab:hot",
    "ice": "cmocean:ice",
    "gray": "matlab:gray",
    "coolwarm": "matplotlib:coolwarm",
    "RdBu_r": "colorbrewer:RdBu_r",
    "bwr": "matplotlib:bwr",
    "seismic": "matplotlib:seismic",
    "vik": "crameri:vik",
    "PuOr_r": "colorbrewer:PuOr_r",
}
DEFAULTS: Final[dict[Sign, ColormapName]] = {  # warm colours raise the target's score, cold ones lower it
    "absolute": "inferno",
    "positive": "inferno",
    "negative": "ice",
    "all": "bwr",
}

TINT_DEPTH = 0.55  # dark letters stay legible up to this share of the diverging map


def paint(strength: Strength, sign: Sign, name: ColormapName | None) -> Pixels:
    """The colours of strengths in 0..1, or in -1..1 for the sign `all`. (H, W) -> (H, W, 3).

    With a diverging colour map, a map of one sign uses the half of that sign.
    """
    chosen = name or DEFAULTS[sign]
    place: NDArray[np.floating] = strength
    if sign == "all":
        place = (1 + strength) / 2
    elif chosen in get_args(Diverging):
        place = (1 - strength) / 2 if sign == "negative" else (1 + strength) / 2
    pixels: Pixels = table(chosen)[np.rint(place * 255).astype(np.uint8)]
    return pixels


def mix(below: NDArray[Any], colors: Pixels, strength: Strength, alpha: float) -> Pixels:
    """Colours laid over others, (…, W, 3): transparent at strength 0, and of opacity `alpha` at strength 1."""
    opacity = alpha * step(np.abs(strength))[..., None]
    mixed: Pixels = np.rint(below + (colors.astype(np.float32) - below) * opacity).astype(np.uint8)
    return mixed


def step(strength: Strength) -> Strength:
    """A smooth step from 0 to 1, which keeps weak attribution from veiling the picture."""
    return strength**2 * (3 - 2 * strength)


def tint(share: float) -> tuple[int, int, int]:
    """A background for dark letters: white at 0, reddish at 1 (raises the output), bluish at -1 (lowers it)."""
    return _diverging(TINT_DEPTH * min(1.0, max(-1.0, share)))


def solid(sign: float) -> tuple[int, int, int]:
    """The colour of a bar that raises the output (`sign` above 0) or lowers it."""
    return _diverging(0.75 if sign > 0 else -0.75)


def _diverging(place: float) -> tuple[int, int, int]:
    red, green, blue = table("RdBu_r")[round((1 + place) / 2 * 255)].tolist()
    return red, green, blue


@lru_cache(maxsize=len(SOURCES))
def table(name: ColormapName) -> NDArray[np.uint8]:
    """The colour map as a table, (256, 3), from the lowest to the highest value."""
    colors: NDArray[np.uint8] = np.rint(np.asarray(Colormap(SOURCES[name]).lut(256))[:, :3] * 255).astype(np.uint8)
    colors.flags.writeable = False  # cached, and shared between threads
    return colors
