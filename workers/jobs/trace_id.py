"""The trace that a job belongs to."""

import re

from schemas.jobs import JobSpec

# `traceparent` of W3C Trace Context: version, trace, parent, flags. A trace of zeros is none.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


def trace_id_of(spec: JobSpec) -> str:
    """The id of the trace that sent the job, 32 hexadecimal digits; empty where none is known."""
    # Not by `getattr`: pydantic looks for a field that a spec of this version need not have in several microseconds.
    match = _TRACEPARENT.fullmatch(vars(spec).get("traceparent") or "")
    return match[1] if match else ""
