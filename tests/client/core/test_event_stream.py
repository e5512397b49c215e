"""Server-sent events, however they are cut into chunks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from attribution_client.core.event_stream import EventParser

STREAM = (
    b": ping\r\n\r\nevent: job\r\ndata: one\r\n\r\nevent:job\ndata:two\ndata: l\xc3\xadnes\n\n"
    b"id: 7\ndata\n\ndata: plain\n\nevent: job\ndata: cut off"
)
EVENTS = [("job", "one"), ("job", "two\nlínes"), ("message", ""), ("message", "plain")]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_do_not_depend_on_chunks(cuts: list[int]) -> None:
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(places)]
    assert [one for chunk in chunks for one in parser.feed(chunk)] == EVENTS
