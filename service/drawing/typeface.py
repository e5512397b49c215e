"""The typeface of the pictures: sizes, measuring and shortening of text.

The typeface is Inter, reduced to Latin, Greek and Cyrillic. Pillow's built-in typeface has no accents.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from service.languages import Language
from service.tuning import MAX_LINE_CHARS

FILE = Path(__file__).parent / "font" / "Inter-Regular.otf"
MINUS = "\N{MINUS SIGN}"
DECIMAL_MARKS: dict[Language, str] = {"en": ".", "es": ","}
BOX = "\N{WHITE SQUARE}"
NO_CHARACTER = "\uffff"  # no typeface has it, so its glyph is that of every missing character


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface at a size in pixels. Basic layout, because shaping libraries differ between machines."""
    return ImageFont.truetype(FILE, size, layout_engine=ImageFont.Layout.BASIC)


def printable(text: str) -> str:
    """The text with composed accents, blanks for line breaks, no control characters, and boxes for missing glyphs."""
    return "".join(map(_drawn_as, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _drawn_as(char: str) -> str:
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category.startswith("C") and category not in ("Cn", "Co"):  # controls, invisible formats, lone surrogates
        return ""
    if _glyph(char) != _glyph(NO_CHARACTER):
        return char
    return "" if category.startswith("M") else BOX  # a box for a combining mark would shift the following text


def _glyph(char: str) -> bytes:
    return bytes(font(24).getmask(char))


def width(text: str, size: int) -> int:
    """The width of a printable line in pixels, rounded up."""
    return -int(-font(size).getlength(text) // 1)


def shorten(text: str, size: int, room: int) -> str:
    """The printable line; if it is wider than `room` pixels, cut, with an ellipsis at its end."""
    line = printable(text[:MAX_LINE_CHARS]).strip()
    if len(text) <= MAX_LINE_CHARS and width(line, size) <= room:
        return line
    fits, over = 0, len(line)
    while fits < over:  # binary search for the longest beginning that fits
        middle = (fits + over + 1) // 2
        if width(line[:middle].rstrip() + "…", size) <= room:
            fits = middle
        else:
            over = middle - 1
    return line[:fits].rstrip() + "…" if fits else ""


def number(value: float, lang: Language, *, plus: bool = False) -> str:
    """The number with three significant digits, a typographic minus sign and the decimal mark of the language."""
    if value == 0:
        return "0"
    text = f"{value:+.3g}" if plus else f"{value:.3g}"
    text = text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", MINUS)
    return text.replace(".", DECIMAL_MARKS[lang])
