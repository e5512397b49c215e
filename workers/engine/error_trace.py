"""Stacks of errors without their messages: a message may hold values of a client's input, code does not."""

import traceback
from collections.abc import Iterator

from workers.engine.tuning import MAX_LOGGED_FRAMES


def without_data(error: BaseException) -> str:
    """The stacks of an error and of its causes, as Python prints them, with types but neither messages nor values."""
    stacks = [
        f"Traceback (most recent call last):\n{''.join(frames(cause))}{type(cause).__qualname__}"
        for cause in reversed(list(causes(error)))
    ]
    return "\n\nwhich led to\n\n".join(stacks)


def frames(error: BaseException, below: str = "") -> list[str]:
    """The frames of an error as text, outermost first, starting at the first one whose file lies under `below`."""
    stack = traceback.extract_tb(error.__traceback__)
    first = next((index for index, frame in enumerate(stack) if frame.filename.startswith(below)), 0)
    kept = stack[first:]
    missing = len(kept) - 2 * MAX_LOGGED_FRAMES
    if missing <= 0:
        return traceback.format_list(kept)
    return [
        *traceback.format_list(kept[:MAX_LOGGED_FRAMES]),
        f"  … {missing} more frames\n",
        *traceback.format_list(kept[-MAX_LOGGED_FRAMES:]),
    ]


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its cause, the cause of that, and so on."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
