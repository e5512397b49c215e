"""Text of others, made safe for a terminal. Pure."""


def printable(text: str) -> str:
    """The text with every character that is not printable as an escape, such as `\\x1b`.

    That covers control characters (also C1, which some terminals obey), line separators, invisible and
    direction-changing characters, and surrogates.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def printable_lines(text: str, margin: str = "  ") -> str:
    """As `printable`, for a text of several lines; a margin keeps each from passing for a log line."""
    return "\n".join(margin + printable(line) for line in text.split("\n"))
