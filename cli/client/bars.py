"""Signed scores as bars and as coloured ground. Orange is for, blue against: told apart by nearly every eye."""

from rich.color import Color
from rich.style import Style
from rich.text import Text

HALF_WIDTH = 14  # characters on each side of the axis
FOR, AGAINST = (245, 158, 11), (59, 130, 246)  # RGB
FAINTEST = 0.06  # of the strongest; below it a word is left uncoloured


def signed_bar(score: float, most: float) -> Text:
    """A bar from the axis in the middle: to the right for positive scores, in half characters."""
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
    """The ground of a word: the stronger the score, the fuller the colour, with black ink on it."""
    share = min(1.0, abs(score) / most) if most else 0.0
    if share < FAINTEST:
        return Style()
    red, green, blue = FOR if score > 0 else AGAINST
    paper = 255
    ground = [round(paper + (channel - paper) * (0.15 + 0.85 * share)) for channel in (red, green, blue)]
    return Style(color="black", bgcolor=Color.from_rgb(*ground), bold=share > 0.5)


def _style(rgb: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*rgb))
