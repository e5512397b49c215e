"""A job is followed by its events, through broken streams and outages."""

import json
from typing import Any

import pytest

from attribution_client.core.explaining import Request, explain
from attribution_client.core.following import PATIENCE, Deadline, follow
from attribution_client.core.models import Cards
from attribution_client.core.sending import Retries
from attribution_client.core.steps import Call, Listen, NextChunk, Pause, Reply, TransportFailure
from attribution_client.decode import decode
from attribution_client.errors import (
    AttributionError,
    BadAnswer,
    JobNotFound,
    StoreUnavailable,
    Unreachable,
    WaitedTooLong,
)
from attribution_client.wire.answers import Job
from tests.client.core.scripted import answer, job, play, problem

ONCE = Retries(total_s=0.0, attempts=1)
OPENED = Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, b"")
CARD = {"name": "net", "version": "1", "status": "ready", "input": {"kind": "text", "shapes": [[8]]}}


def running() -> Job:
    return decode(Job, job())


def event(document: dict[str, Any], name: str = "job") -> bytes:
    return f"event: {name}\r\ndata: {json.dumps(document)}\r\n\r\n".encode()


def test_events_lead_to_the_end() -> None:
    seen: list[str] = []
    chunks = (event(job("running")), b": ping\r\n\r\n", event(job("succeeded")))
    ended, steps = play(follow(running(), ONCE, lambda now: seen.append(now.status)), OPENED, *chunks, None)
    assert ended.status == "succeeded"
    assert seen == ["running", "succeeded"]
    assert isinstance(steps[0], Listen)
    assert steps[0].call.path == "/jobs/j1/events"


def test_a_stream_that_ends_early_is_polled_and_opened_again() -> None:
    outcomes = (OPENED, event(job()), None, None, answer(job()), None, OPENED, event(job("failed")), None)
    ended, steps = play(follow(running(), ONCE), *outcomes)
    assert ended.status == "failed"
    assert sum(isinstance(step, Listen) for step in steps) == 2
    assert [step.path for step in steps if isinstance(step, Call)] == ["/jobs/j1"]


def test_a_stream_that_tells_of_an_outage_is_opened_again() -> None:
    outage = event(json.loads(problem("store_unavailable", 503).content), "problem")
    ended, _ = play(follow(running(), ONCE), OPENED, outage, None, OPENED, event(job("succeeded")), None)
    assert ended.status == "succeeded"


def test_a_poll_may_find_the_end() -> None:
    ended, _ = play(follow(running(), ONCE), OPENED, None, None, answer(job("succeeded")))
    assert ended.status == "succeeded"


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (TransportFailure("away", unsent=True), Unreachable),
        (problem("store_unavailable", 503), StoreUnavailable),
    ],
)
def test_an_outage_is_borne_for_a_while(outcome: Any, error: type[AttributionError]) -> None:
    back = (OPENED, event(job("succeeded")), None)
    ended, _ = play(follow(running(), ONCE), *[outcome, None] * (PATIENCE - 1), *back)
    assert ended.status == "succeeded"
    with pytest.raises(error):
        play(follow(running(), ONCE), *[outcome, None] * (PATIENCE - 1), outcome)


@pytest.mark.parametrize(
    ("outcomes", "error"),
    [
        ([problem("job_not_found", 404)], JobNotFound),
        ([Reply(200, {"content-type": "text/html"}, b"")], BadAnswer),
        ([Reply(307, {"location": "/elsewhere"}, b"")], BadAnswer),
        ([OPENED, b"event: job\ndata: {\n\n"], BadAnswer),
        ([OPENED, b"event: job\ndata: {}\n\n"], BadAnswer),
        ([OPENED, event(job("succeeded", id="another"))], BadAnswer),
        ([OPENED, b"data: " + b"x" * (5 * 2**20)], BadAnswer),
    ],
)
def test_what_ends_it(outcomes: list[Any], error: type[AttributionError]) -> None:
    with pytest.raises(error):
        play(follow(running(), ONCE), *outcomes)


class SilentFor:
    """A clock, and a stream that is silent until a moment of it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_deadline_that_passes_while_the_stream_is_silent() -> None:
    clock = SilentFor()
    flow = follow(running(), ONCE, deadline=Deadline(5.0, clock))
    listening = next(flow)
    assert isinstance(listening, Listen)
    assert listening.call.timeout_s == 5.0
    flow.send(OPENED)
    clock.now_s = 5.1
    with pytest.raises(WaitedTooLong) as raised:
        flow.throw(TransportFailure("silent", timed_out=True))
    assert raised.value.job == "j1"


@pytest.mark.parametrize(
    "cancelled", [answer(job("cancelled")), TransportFailure("away"), problem("job_not_found", 404)]
)
def test_an_interrupt_cancels_the_job(cancelled: Any) -> None:
    """And no failure of the cancellation hides the interrupt."""
    flow = explain(Request("a text", "net"), Cards(), ONCE, lambda _: None, None)
    next(flow)
    for outcome in (answer(CARD), answer(job(), 202), OPENED):
        step = flow.send(outcome)
    assert isinstance(step, NextChunk)
    cancelling = flow.throw(KeyboardInterrupt())
    assert isinstance(cancelling, Call)
    assert (cancelling.method, cancelling.path) == ("DELETE", "/jobs/j1")
    with pytest.raises(KeyboardInterrupt):
        flow.throw(cancelled) if isinstance(cancelled, Exception) else flow.send(cancelled)


def test_a_repeated_submission_has_the_same_idempotency_key() -> None:
    flow = explain(Request("a text", "net"), Cards(), Retries(), lambda _: None, None)
    step = next(flow)
    step = flow.send(answer(CARD))
    assert isinstance(step, Call)
    first = step.headers["Idempotency-Key"]
    assert isinstance(flow.throw(TransportFailure("lost")), Pause)
    again = flow.send(None)
    assert isinstance(again, Call)
    assert again.headers["Idempotency-Key"] == first
    assert len(first) >= 20
    flow.close()
