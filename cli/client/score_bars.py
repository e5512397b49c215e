"""Signed scores as bars and background colours: orange for, blue against. Colour-blind readers can distinguish them."""

from rich.color import Color
from rich.style import Style
from rich.text import Text

HALF_WIDTH = 14  # characters on each side of the axis
FOR, AGAINST = (245, 158, 11), (59, 130, 246)  # RGB
FAINTEST = 0.06  # share of the strongest score; words below it have no colour


def signed_bar(score: float, most: float) -> Text:
    """A bar from an axis in the middle, to the right for positive scores, in steps of half a character."""
    halves = round(2 * HALF_WIDTH * min(1.0, abs(score) / most)) if most else 0
    blocks, half = divmod(halves, 2)
    if score >= 0:
        left, right = "", "█" * blocks + "▌" * half
    else:
        left, right = "▐" * half + "█" * blocks, ""
    return Text.assemble(
        (left.rjust(HALF_WIDTH), _style(AGAINST)), ("│", "dim"), (right.ljust(HALF_WIDTH), _style(FOR))
    )


def tint(score: float, most: float) -> Style:
    """The style of a word: a stronger score has a fuller background colour, with black letters."""
    share = min(1.0, abs(score) / most) if most else 0.0
    if share < FAINTEST:
        return Style()
    red, green, blue = FOR if score > 0 else AGAINST
    paper = 255
    ground = [round(paper + (channel - paper) * (0.15 + 0.85 * share)) for channel in (red, green, blue)]
    return Style(color="black", bgcolor=Color.from_rgb(*ground), bold=share > 0.5)


def _style(rgb: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*rgb))
