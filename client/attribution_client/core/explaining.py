"""Submits an explanation, waits for it and fetches its result."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.core.following import Deadline, OnJob, cancel_job, follow, job_path, succeeded
from attribution_client.core.models import Cards
from attribution_client.core.npy import read_npy
from attribution_client.core.requests import explain_body
from attribution_client.core.sending import Retries, send, send_json
from attribution_client.core.steps import READ_TIMEOUT_S, Call, Flow
from attribution_client.decode import decode
from attribution_client.errors import AttributionError
from attribution_client.inputs.given import Prepared, as_path, prepare
from attribution_client.wire.answers import Explanation, Job, ModelCard

PNG = "image/png"
NPY = "application/x-npy"
FIRST_WAIT_S = 1.0  # most jobs end within it, and then need no second request to be followed


@dataclass(frozen=True)
class Request:
    """What a caller asks to be explained. What is None is left to the service."""

    given: Any
    model: str | None = None
    version: str | None = None
    method: Any = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: Any = None
    quality: Sequence[Any] | None = None
    seed: int | None = None
    priority: str | None = None
    cache: str | None = None  # Cache-Control: no-cache, no-store


@dataclass(frozen=True)
class Submission:
    """A queued job, and how its input was given. `id` finds the job again, also from another client."""

    job: Job
    prepared: Prepared = field(repr=False)
    card: ModelCard = field(repr=False)

    @property
    def id(self) -> str:
        return self.job.id


@dataclass(frozen=True)
class Fetched:
    """A whole result: the document, and the numbers of each attribution by name, each with a batch axis."""

    job: Job
    explanation: Explanation
    arrays: dict[str, NDArray[Any]]
    single: bool
    card: ModelCard | None = None
    texts: list[str] | None = None  # that were sent, where that was a text


def submit(request: Request, cards: Cards, retries: Retries, wait_s: float = 0.0) -> Flow[Submission]:
    """Queues a job. A repetition after a lost answer finds the same job by its idempotency key.

    Raises:
        InputError: the request cannot be sent.
    """
    given = as_path(request.given) if request.model is None else request.given
    if request.model is None:
        card = yield from cards.for_input(given, retries)
    else:
        card = yield from cards.find(request.model, request.version, retries)
    prepared = prepare(given, card)
    body = explain_body(
        card,
        prepared.body,
        version=request.version,
        method=request.method,
        parameters=request.parameters,
        target=request.target,
        quality=request.quality,
        seed=request.seed,
        priority=request.priority,
    )
    params = {"wait": wait_s} if wait_s else {}
    document = yield from send_json(post("/explain", body, params, cache=request.cache), retries)
    return Submission(decode(Job, document), prepared, card)


def explain(
    request: Request, cards: Cards, retries: Retries, on_job: OnJob | None, timeout_s: float | None
) -> Flow[Fetched]:
    """Submits, waits and fetches. A caller who interrupts the wait cancels the job.

    Raises:
        WaitedTooLong: the job has not ended in the time given; it is cancelled.
        JobError: the job has no result.
    """
    deadline = Deadline.after(timeout_s)
    submitted = yield from submit(request, cards, retries, 0.0 if on_job else min(FIRST_WAIT_S, deadline.left_s))
    job = submitted.job
    if on_job is not None:
        on_job(job)
    try:
        job = yield from follow(job, retries, on_job, deadline)
    except GeneratorExit:
        raise
    except BaseException:  # the caller wants no result any more: an interrupt, or a wait that was too long
        with suppress(AttributionError):
            yield from cancel_job(job.id, Retries(total_s=0.0, attempts=1))
        raise
    return (yield from fetch(job, retries, submitted))


def fetch(job: Job, retries: Retries, submitted: Submission | None = None) -> Flow[Fetched]:
    """The result of a job that has ended.

    Raises:
        JobError: it has none.
        BadAnswer: the numbers are not those that the document describes.
    """
    succeeded(job)
    path = job_path(job.id, "/result")
    document = yield from send_json(Call("GET", path, {"numbers": "false"}), retries)
    explanation = decode(Explanation, document)
    arrays: dict[str, NDArray[Any]] = {}
    for spec in explanation.attributions:
        reply = yield from send(Call("GET", path, {"tensor": spec.name}, accept=NPY), retries)
        arrays[spec.name] = read_npy(reply.content, spec.shape).astype(np.float32, copy=False)
    single = submitted is not None and submitted.prepared.single
    return Fetched(job, explanation, arrays, single, submitted.card if submitted else None, _texts(submitted))


def picture(path: str, options: Mapping[str, Any], retries: Retries) -> Flow[bytes]:
    """A picture that the service draws, as PNG."""
    params = {name: _query(value) for name, value in options.items() if value is not None}
    reply = yield from send(Call("GET", path, params, accept=PNG), retries)
    return reply.content


def post(path: str, body: Any, params: Mapping[str, Any], cache: str | None = None) -> Call:
    """A call that queues work, with an idempotency key that makes it repeatable."""
    headers = {"Idempotency-Key": secrets.token_urlsafe(16)} | ({"Cache-Control": cache} if cache else {})
    return Call("POST", path, params, body, headers, timeout_s=READ_TIMEOUT_S + float(params.get("wait", 0.0)))


def _query(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _texts(submitted: Submission | None) -> list[str] | None:
    """The texts that were sent, to be shown with their words."""
    text: Any = submitted.prepared.body.get("text") if submitted else None
    return [text] if isinstance(text, str) else text
