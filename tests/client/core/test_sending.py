"""Which answers are taken, which requests are repeated, and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from attribution_client.core.sending import Retries, retry_after_s, send_json
from attribution_client.core.steps import Call, Pause, Reply, TransportFailure
from attribution_client.errors import (
    AttributionError,
    BadAnswer,
    InvalidRequest,
    ModelUnavailable,
    Overloaded,
    RequestError,
    ServiceError,
    Unreachable,
)
from tests.client.core.scripted import answer, play, problem

GET = Call("GET", "/jobs/j1")
POST = Call("POST", "/models/net/load", repeatable=False)
LOST = TransportFailure("cut off")
REFUSED = TransportFailure("refused", unsent=True)
SILENT = TransportFailure("silent", timed_out=True)


def pauses(steps: list[Any]) -> list[float]:
    return [step.seconds for step in steps if isinstance(step, Pause)]


def test_a_good_answer_is_taken_at_once() -> None:
    document, steps = play(send_json(GET, Retries()), answer({"a": 1}))
    assert document == {"a": 1}
    assert steps == [GET]


def test_a_full_queue_is_asked_again_after_its_retry_after() -> None:
    full = problem("queue_full", 429, retry_after="7")
    document, steps = play(send_json(GET, Retries(total_s=20)), full, None, full, None, answer(3))
    assert document == 3
    assert pauses(steps) == [7.0, 7.0]


def test_retry_after_is_obeyed_no_longer_than_allowed() -> None:
    full = problem("queue_full", 429, retry_after="7")
    with pytest.raises(Overloaded) as raised:
        play(send_json(GET, Retries(total_s=13)), full, None, full)
    assert raised.value.retry_after_s == 7.0


def test_an_outage_without_retry_after_is_tried_a_few_times() -> None:
    away = Reply(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")
    with pytest.raises(ServiceError, match="502") as raised:
        play(send_json(GET, Retries(attempts=3)), away, None, away, None, away)
    assert raised.value.status == 502
    document, steps = play(send_json(GET, Retries(attempts=3)), away, None, away, None, answer(1))
    assert document == 1
    assert pauses(steps) == [0.1, 0.2]


@pytest.mark.parametrize("failure", [LOST, REFUSED])
def test_a_lost_answer_is_asked_for_again(failure: TransportFailure) -> None:
    assert play(send_json(GET, Retries()), failure, None, answer(1))[0] == 1
    with pytest.raises(Unreachable):
        play(send_json(GET, Retries(attempts=2)), failure, None, failure)


def test_what_is_not_repeatable_is_sent_again_only_if_it_never_left() -> None:
    assert play(send_json(POST, Retries()), REFUSED, None, answer(1))[0] == 1
    with pytest.raises(Unreachable, match="cut off"):
        play(send_json(POST, Retries()), LOST)
    with pytest.raises(ModelUnavailable):
        play(send_json(POST, Retries()), problem("model_unavailable", 503, retry_after="1"))


def test_silence_is_not_asked_again() -> None:
    with pytest.raises(Unreachable, match="silent"):
        play(send_json(GET, Retries()), SILENT)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (problem("invalid_request", 422, "n_steps: too many"), InvalidRequest, "n_steps: too many"),
        (problem("a_later_code", 418), RequestError, "no"),
        (problem("a_later_code", 500), ServiceError, "no"),
        (Reply(404, {"content-type": "text/html"}, b"<h1>"), RequestError, "GET /jobs/j1 was answered with 404"),
        (Reply(404, {"content-type": "application/problem+json"}, b"[[["), RequestError, "answered with 404"),
        (Reply(307, {"location": "http://elsewhere/x"}, b""), BadAnswer, "redirects to 'http://elsewhere/x'"),
        (Reply(200, {"content-type": "text/html"}, b"<h1>"), BadAnswer, "expected application/json"),
        (Reply(200, {}, b"{}"), BadAnswer, "no content type"),
        (Reply(200, {"content-type": "application/json"}, b'{"a": '), BadAnswer, "not JSON"),
        (Reply(200, {"content-type": "application/json"}, b"[" * 100_000), BadAnswer, "not JSON"),
    ],
)
def test_what_is_refused_at_once(reply: Reply, error: type[AttributionError], words: str) -> None:
    with pytest.raises(error) as raised:
        play(send_json(GET, Retries()), reply)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("Fri, 27 Nov 2026 09:00:30 GMT", 30.0),
        ("Fri, 27 Nov 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(given: str | None, seconds: float | None) -> None:
    assert retry_after_s(given, lambda: datetime(2026, 11, 27, 9, tzinfo=UTC)) == seconds
