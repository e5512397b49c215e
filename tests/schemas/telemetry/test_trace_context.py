"""The header `traceparent`, as W3C Trace Context defines it, and hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.telemetry.trace_context import MAX_TRACEPARENT_CHARS, TraceContext, parse_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("text", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-ff", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"01-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what the future adds", True),
    ],
)
def test_headers_of_the_standard(text: str, is_sampled: bool) -> None:
    assert parse_traceparent(text) == TraceContext(TRACE, SPAN, is_sampled)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00_{TRACE}_{SPAN}_01",
        f"0x-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01.more",
        f"01-{TRACE}-{SPAN}-01-\x07",
        f"01-{TRACE}-{SPAN}-01-" + "x" * MAX_TRACEPARENT_CHARS,
        f"00-\u0660{TRACE[1:]}-{SPAN}-01",
    ],
)
def test_others_are_none(text: str | None) -> None:
    assert parse_traceparent(text) is None


@given(st.text(max_size=600) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"))
def test_what_is_passed_on_is_of_the_standard(text: str) -> None:
    context = parse_traceparent(text)
    if context is not None:
        assert len(context.traceparent) == 55
        assert parse_traceparent(context.traceparent) == context
        assert text[3:35] == context.trace_id
