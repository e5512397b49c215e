"""Splits a text into words, and assigns its tokens to them.

Word boundaries are those of Unicode (UAX #29, default rules), with one change that the standard suggests for hyphens:
a hyphen or an apostrophe between two letters or digits does not end a word.

UAX #29 uses no dictionary. In Chinese, Hiragana, Thai, Lao, Khmer and Burmese it breaks after each character with its
marks. A token that covers several such characters makes them one word, so the tokenizer's vocabulary decides there. If
words were runs without spaces, a whole sentence would often be one word.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import regex

Span = tuple[int, int]  # characters of the text, end exclusive

# With the flag WORD, `\b` is a boundary of UAX #29. The lookarounds exclude boundaries next to a joining character.
_LETTER = r"[\w--[\p{Han}\p{Hiragana}\p{Line_Break=Complex_Context}]]"  # of scripts with spaces between words
_JOINS = rf"(?<={_LETTER})['\u2019\-\u2010\u2011](?={_LETTER})"  # well-known, 1990-1995, 90's
_BOUNDARY = regex.compile(rf"\b(?!{_JOINS})(?<!{_JOINS})", flags=regex.WORD | regex.VERSION1)
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}  # blanks, line ends, controls, formats such as the zero-width space


def word_of_each_token(text: str, offsets: Sequence[Span], special: Sequence[int]) -> list[Span | None]:
    """The span of each token's word; None for a special token.

    Every other token has a word, so the scores of the words sum to the scores of the tokens:

    - A token that covers characters of one word belongs to this word. Spaces at the token's ends do not count.
    - A token that covers characters of several words joins them to one word, from the first to the last.
    - A token without visible characters (the space before a word, a line end, a prefix that the normalizer adds)
      belongs to the word of the next token, or to the last word where no word follows. In a text without words, all
      tokens are one word.

    Args:
        text: the text before the tokenizer's normalization.
        offsets: for each token the span of its characters. Spans may be empty, overlap or repeat.
        special: for each token, 1 if the tokenizer added it around the text, else 0.
    """
    plain = [span for span, is_special in zip(offsets, special, strict=True) if not is_special]
    whole = (min((start for start, _ in plain), default=0), max((end for _, end in plain), default=0))
    words = list(_words(text, whole[1]))
    covered = [_covered(words, span) for span in plain]
    merged = _merged(words, [indices for indices in covered if indices])
    filled = iter(_filled([merged[indices[0]] if indices else None for indices in covered], whole))
    return [None if is_special else next(filled) for is_special in special]


def numbered(words: Sequence[Span | None]) -> list[int]:
    """The number of each token's word, from 0 without gaps. Each special token counts as a word."""
    numbers: dict[Span | int, int] = {}
    return [numbers.setdefault(index if word is None else word, len(numbers)) for index, word in enumerate(words)]


def _words(text: str, stop: int) -> Iterator[Span]:
    """Yields the words that begin before `stop`, in order. Invisible characters alone are not a word."""
    start = 0
    for match in _BOUNDARY.finditer(text):
        yield from _visible(text, start, match.start())
        start = match.start()
        if start >= stop:
            return
    yield from _visible(text, start, len(text))


def _visible(text: str, start: int, end: int) -> Iterator[Span]:
    """Yields the span without spaces at its ends, if a visible character is left. UAX #29 joins a mark to a space."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if any(unicodedata.category(character) not in _INVISIBLE for character in text[start:end]):
        yield start, end


def _covered(words: Sequence[Span], token: Span) -> range:
    """The indices of the words of which a token covers characters."""
    first = bisect_right(words, token[0], key=lambda word: word[1])
    return range(first, bisect_left(words, token[1], key=lambda word: word[0]))


def _merged(words: Sequence[Span], covered: Sequence[range]) -> list[Span]:
    """For each word, the span of all words that tokens join with it."""
    joined = [False] * len(words)  # with the previous word
    for indices in covered:
        for index in indices[1:]:
            joined[index] = True
    merged: list[Span] = []
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or not joined[index]:
            merged += [(words[first][0], words[index - 1][1])] * (index - first)
            first = index
    return merged


def _filled(found: Sequence[Span | None], whole: Span) -> list[Span]:
    """Fills gaps with the next word, gaps at the end with the last one, and with `whole` if there is no word."""
    following = next((word for word in reversed(found) if word is not None), whole)
    filled: list[Span] = []
    for word in reversed(found):
        following = following if word is None else word
        filled.append(following)
    return filled[::-1]
