"""What no message may look like: punctuation that comes of joining parts which end or begin with their own."""

import re

# Quoted names, JSON and URIs have a punctuation of their own.
QUOTED = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"|\{[^{}]*\}|\[[^\[\]]*\]|data:image/png;base64,…")
CLUMSY = {
    "two marks in a row": re.compile(r"[,;:.?!]\s*[,;:.?!]"),
    "a space before a mark": re.compile(r"\s[,;:.?!](\s|$)"),
    "no space after a mark": re.compile(r"[,;?!][^\s)\d…]"),
    "two spaces": re.compile(r"\s\s"),
    "a mark at the beginning": re.compile(r"^\s*[,;:.?!)]"),
    "an open end": re.compile(r"[,;:(¿¡\s]$"),
    "an empty bracket": re.compile(r"\(\s*\)"),
    "a question in the middle": re.compile(r"\?\s+(?!\()"),  # what follows is lost behind it
}


def faults(text: str) -> list[str]:
    """What is wrong with the punctuation of a sentence, in either language; nothing if it is right."""
    bare = QUOTED.sub("x", text)
    found = [name for name, pattern in CLUMSY.items() if pattern.search(bare)]
    if bare.count("(") != bare.count(")"):
        found.append("brackets that do not close")
    if bare.count("¿") > bare.count("?"):
        found.append("a question that does not close")
    return found
