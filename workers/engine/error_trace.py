"""Where an error came from, told without what it says: a message may hold values of somebody's input, code does not."""

import traceback
from collections.abc import Iterator

MOST_FRAMES = 30  # from either end: a model that calls itself too often has a thousand


def without_data(error: BaseException) -> str:
    """The stack of an error and of what caused it, as Python prints it, but with neither messages nor variables."""
    told = []
    for one in reversed(list(causes(error))):
        name = type(one).__qualname__
        told.append(f"Traceback (most recent call last):\n{''.join(frames(one))}{name}")
    return "\n\nwhich led to\n\n".join(told)


def frames(error: BaseException, below: str = "") -> list[str]:
    """The frames of an error, outermost first, as text; from the first one in a file under `below` on."""
    found = traceback.extract_tb(error.__traceback__)
    first = next((index for index, frame in enumerate(found) if frame.filename.startswith(below)), 0)
    kept = found[first:]
    if len(kept) > 2 * MOST_FRAMES:
        missing = [f"  … {len(kept) - 2 * MOST_FRAMES} more frames\n"]
        return [
            *traceback.format_list(kept[:MOST_FRAMES]),
            *missing,
            *traceback.format_list(kept[-MOST_FRAMES:]),
        ]
    return traceback.format_list(kept)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
