"""Sizes as people write them."""

import re

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
UNITS |= {prefix + end: 1 << 10 * power for power, prefix in enumerate("kmgt", 1) for end in ("", "ib")}
SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


def parse_bytes(text: str) -> int:
    """Bytes of "8GiB", "500 MB" or "1073741824"; K, M, G, T are powers of 1024.

    Raises:
        ValueError: it is no size, or none at all.
    """
    found = SIZE.fullmatch(text)
    unit = UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError("a number of bytes, or one with a unit such as 8GiB or 500MB, is needed")
    count = int(float(found[1]) * unit)
    if count < 1:
        raise ValueError("more than nothing is needed")
    return count


def in_words(count: int) -> str:
    """A number of bytes for people: "1.5 GiB"."""
    size, units = float(count), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        del units[0]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
