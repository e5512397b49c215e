"""Close matches for a name that is not known. Pure."""

import difflib
from collections.abc import Iterable

MAX_COMPARED_CHARS = 60  # difflib is quadratic in the length of what strangers send


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing when no known name is close."""
    wanted = name[:MAX_COMPARED_CHARS].casefold()
    folded = {candidate.casefold(): candidate for candidate in known}
    close = [folded[match] for match in difflib.get_close_matches(wanted, folded, n=3, cutoff=0.6)]
    if not close:
        close = [candidate for fold, candidate in folded.items() if len(wanted) >= 3 and wanted in fold][:3]
    return f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else ""
