"""Breaks a text into lines of scored pieces."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.results import TextScore
from service.drawing import typeface

_WORD_OR_BLANKS = re.compile(r"\S+|\s+")
Owners = list[TextScore | None]  # for each character of the text, its score


@dataclass(frozen=True, slots=True)
class Piece:
    """Printable characters with one score or none, `left` pixels into their line and `width` pixels wide."""

    text: str
    score: float | None
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Unbreakable:
    """A word, one blank, a line break, or as much of an overlong word as a line holds."""

    start: int  # offset into the text, characters
    is_blank: bool
    is_break: bool
    pieces: list[Piece]  # `left` counts from the unit's start
    width: int


def wrap(
    text: str, scores: Sequence[TextScore], *, size: int, room: int, max_lines: int
) -> tuple[list[list[Piece]], int]:
    """Break the text into lines of pieces, each line at most `room` pixels wide.

    A run of blanks becomes one blank, a run of line breaks one line break. Scores that are empty, lie beyond the text,
    or overlap an earlier one are ignored.

    Returns:
        The lines, at most `max_lines`, and the number of the text's characters that they hold.
    """
    lines: list[list[Piece]] = [[]]
    left = 0
    for unit in _units(text, _owners(text, scores), size, room):
        if unit.is_break or (left and left + unit.width > room):
            if len(lines) == max_lines:
                return lines, unit.start
            lines.append([])
            left = 0
        if unit.is_blank and not left:
            continue
        lines[-1] += [Piece(piece.text, piece.score, left + piece.left, piece.width) for piece in unit.pieces]
        left += unit.width
    return lines, len(text)


def _owners(text: str, scores: Sequence[TextScore]) -> Owners:
    """The score of each character of the text."""
    owners: Owners = [None] * len(text)
    taken = 0
    for score in sorted(scores, key=lambda item: item.start):
        if taken <= score.start < score.end <= len(text):
            owners[score.start : score.end] = [score] * (score.end - score.start)
            taken = score.end
    return owners


def _units(text: str, owners: Owners, size: int, room: int) -> Iterator[Unbreakable]:
    for match in _WORD_OR_BLANKS.finditer(text):
        start, end = match.span()
        if match[0].isspace():
            yield _unit(text, owners, start, start + 1, size, is_break="\n" in match[0])
            continue
        while start < end:
            stop = _end_of_part(text, start, end, size, room)
            yield _unit(text, owners, start, stop, size)
            start = stop


def _end_of_part(text: str, start: int, end: int, size: int, room: int) -> int:
    """The end of the longest part of a word, from `start`, that a line can hold; at least one character."""
    width = 0.0
    for position in range(start, end):
        width += typeface.font(size).getlength(typeface.printable(text[position]))
        if width > room and position > start:
            return position
    return end


def _unit(text: str, owners: Owners, start: int, end: int, size: int, *, is_break: bool = False) -> Unbreakable:
    pieces: list[Piece] = []
    left, position = 0, start
    while position < end:
        owner = owners[position]
        stop = next((i for i in range(position, end) if owners[i] is not owner), end)
        characters = typeface.printable(text[position:stop])
        width = typeface.width(characters, size)
        if width:
            pieces.append(Piece(characters, owner.score if owner else None, left, width))
        left, position = left + width, stop
    return Unbreakable(start, text[start].isspace(), is_break, pieces, left)
