"""Submits a comparison, waits for it and fetches the results of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from attribution_client.core.explaining import Fetched, Submission, fetch, post
from attribution_client.core.following import Deadline, OnComparison, follow_comparison, get_job
from attribution_client.core.models import Cards
from attribution_client.core.requests import compare_body
from attribution_client.core.sending import Retries, send_json
from attribution_client.core.steps import Call, Flow
from attribution_client.decode import decode
from attribution_client.errors import AttributionError, InputError
from attribution_client.inputs.given import Prepared, as_path, prepare
from attribution_client.wire.answers import Comparison, ModelCard


@dataclass(frozen=True)
class CompareRequest:
    """One input, and the ways in which it is explained. What is None is left to the service."""

    given: Any
    models: Sequence[str] | None = None  # each a name, or name@version
    methods: Sequence[Any] | None = None
    targets: Sequence[Any] | None = None
    seed: int | None = None
    priority: str | None = None


@dataclass(frozen=True)
class Compared:
    """A comparison that has ended, and how its input was given."""

    comparison: Comparison
    prepared: Prepared
    card: ModelCard


def compare(
    request: CompareRequest,
    cards: Cards,
    retries: Retries,
    on_change: OnComparison | None,
    timeout_s: float | None,
) -> Flow[Compared]:
    """Submits and waits. A caller who interrupts the wait cancels the jobs.

    Raises:
        InputError: the request cannot be sent.
        WaitedTooLong: the jobs have not ended in the time given; they are cancelled.
    """
    deadline = Deadline.after(timeout_s)
    for name, one in (("models", request.models), ("methods", request.methods), ("targets", request.targets)):
        if isinstance(one, str):
            raise InputError(f"{name}: a list of names, not one word")
    given = as_path(request.given) if request.models is None else request.given
    if request.models:
        name, _, version = request.models[0].partition("@")
        card = yield from cards.find(name, version or None, retries)
    else:
        card = yield from cards.for_input(given, retries)
    prepared = prepare(given, card)
    body = compare_body(
        request.models or [card.name],
        prepared.body,
        methods=request.methods,
        targets=request.targets,
        seed=request.seed,
        priority=request.priority,
    )
    comparison = decode(Comparison, (yield from send_json(post("/compare", body, {}), retries)))
    if on_change is not None:
        on_change(comparison)
    try:
        comparison = yield from follow_comparison(comparison, retries, on_change, deadline)
    except GeneratorExit:
        raise
    except BaseException:  # the caller wants no result any more
        cancelling = Call("DELETE", comparison_path(comparison.id))
        with suppress(AttributionError):
            yield from send_json(cancelling, Retries(total_s=0.0, attempts=1))
        raise
    return Compared(comparison, prepared, card)


def cell_results(compared: Compared, retries: Retries) -> Flow[list[Fetched | None]]:
    """The result of each cell, in the order of the cells; None for one that has none."""
    results: list[Fetched | None] = []
    for cell in compared.comparison.cells:
        if cell.status != "succeeded" or cell.job is None:
            results.append(None)
            continue
        job = yield from get_job(cell.job, retries)
        results.append((yield from fetch(job, retries, Submission(job, compared.prepared, compared.card))))
    return results


def comparison_path(comparison_id: str, below: str = "") -> str:
    """The path of a comparison, or of what is below it."""
    return f"/comparisons/{quote(comparison_id, safe='')}{below}"
