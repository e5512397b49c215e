"""Sends one call. Repeats it where that is safe and may help, and refuses answers of the wrong kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from attribution_client.core.backoff import Backoff
from attribution_client.core.steps import Call, Flow, Pause, Reply, TransportFailure
from attribution_client.decode import decode
from attribution_client.errors import BadAnswer, ServiceError, Unreachable, service_error
from attribution_client.wire.answers import Problem

PASSING = frozenset({429, 502, 503, 504})  # of a full queue, of an outage, and of a proxy before the service


@dataclass(frozen=True)
class Retries:
    """When a call is repeated.

    Attributes:
        total_s: for how long one call may pause, all its repetitions together. A longer `Retry-After` is not obeyed:
            the error is raised at once.
        attempts: how often a call is sent whose answer was lost, or came without a `Retry-After`.
    """

    total_s: float = 60.0
    attempts: int = 4


USUAL_RETRIES = Retries()


def send(call: Call, retries: Retries) -> Flow[Reply]:
    """The answer. Its status is below 300, and its media type is the one that the call accepts.

    Raises:
        Unreachable: there was no answer.
        BadAnswer: the answer is a redirect, or of another media type.
        ServiceError: the service refused or failed.
    """
    pauses = Backoff(first_s=0.1, most_s=2.0)
    paused_s, attempts = 0.0, 0
    while True:
        attempts += 1
        error: Unreachable | ServiceError
        retry_after_s = None
        try:
            reply: Reply = yield call
        except TransportFailure as failure:
            error = Unreachable(str(failure))
            error.__cause__ = failure
            again = failure.unsent or (call.repeatable and not failure.timed_out)
        else:
            if reply.status < 300:
                return _expected(reply, call)
            error = refusal(reply, call)
            again = reply.status in PASSING and call.repeatable
            retry_after_s = error.retry_after_s
        pause_s = pauses.next_s() if retry_after_s is None else retry_after_s
        spent = attempts >= retries.attempts and retry_after_s is None
        if not again or spent or paused_s + pause_s > retries.total_s:
            raise error
        paused_s += pause_s
        yield Pause(pause_s)


def send_json(call: Call, retries: Retries) -> Flow[Any]:
    """The parsed answer. Raises as `send`."""
    reply = yield from send(call, retries)
    return parsed(reply, call)


def parsed(reply: Reply, call: Call) -> Any:
    """The JSON of an answer. Raises `BadAnswer` where it is none."""
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{call.method} {call.path}: the answer is not JSON: {error}") from None


def _expected(reply: Reply, call: Call) -> Reply:
    if reply.media_type != call.accept:
        told = reply.media_type or "no content type"
        raise BadAnswer(f"{call.method} {call.path}: expected {call.accept}, the answer has {told}")
    return reply


def refusal(reply: Reply, call: Call) -> ServiceError:
    """The error of an answer whose status is not a success.

    Raises:
        BadAnswer: it is a redirect. The client follows none, so that its key goes to no other address.
    """
    if reply.status < 400:
        place = reply.headers.get("location", "nowhere")
        raise BadAnswer(
            f"{call.method} {call.path}: the address redirects to {place[:200]!r}; give that address as the URL"
        )
    problem = Problem(
        type="about:blank",
        title="The service failed" if reply.status >= 500 else "The request was refused",
        status=reply.status,
        detail=f"{call.method} {call.path} was answered with {reply.status}, without a problem document",
    )
    if reply.media_type == "application/problem+json":
        with suppress(ValueError, RecursionError, BadAnswer):  # then the status says enough
            problem = decode(Problem, json.loads(reply.content))
    return service_error(problem, retry_after_s(reply.headers.get("retry-after")))


def retry_after_s(given: str | None, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> float | None:
    """The seconds of a `Retry-After`, which is a number or a date (RFC 9110, 10.2.3); None if it is neither."""
    if given is None:
        return None
    if given.strip().isdecimal():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - now()).total_seconds())
