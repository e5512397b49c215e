"""W3C Trace Context: the trace and the span that a request, or a job, belongs to."""

import re
from typing import NamedTuple

MAX_TRACEPARENT_CHARS = 512  # of a later version of the format; this version has 55
HEADER = "traceparent"
_SAMPLED = 0x01
# Version, trace, parent, flags. Zeros are no id, and ff is no version. A later version may add fields after a hyphen.
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-"
    r"(?P<flags>[0-9a-f]{2})(?P<more>-[\x20-\x7e]*)?"
)


class TraceContext(NamedTuple):
    """A span and its trace.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        is_sampled: whether the one who made the span records it.
    """

    trace_id: str
    span_id: str
    is_sampled: bool

    @property
    def traceparent(self) -> str:
        """As the header `traceparent` of version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def parse_traceparent(text: str | None) -> TraceContext | None:
    """The context of a header `traceparent`; None where there is none, or one that the standard does not allow.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    if not text or len(text) > MAX_TRACEPARENT_CHARS:
        return None
    match = _TRACEPARENT.fullmatch(text)
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return None
    return TraceContext(match["trace"], match["span"], bool(int(match["flags"], 16) & _SAMPLED))
