"""Runs a flow against a script: what comes of each step, in order. Neither network nor clock is needed."""

import json
from typing import Any, TypeVar

from attribution_client.core.steps import Flow, Reply, Step

T = TypeVar("T")


def play(flow: Flow[T], *outcomes: Any) -> tuple[T, list[Step]]:
    """The flow's result and the steps that it took. An exception as an outcome is raised inside the flow."""
    waiting = list(outcomes)
    steps: list[Step] = []
    try:
        step = next(flow)
        while True:
            steps.append(step)
            assert waiting, f"the script ended before {step}"
            outcome = waiting.pop(0)
            step = flow.throw(outcome) if isinstance(outcome, BaseException) else flow.send(outcome)
    except StopIteration as stop:
        assert not waiting, f"not played: {waiting}"
        result: T = stop.value
        return result, steps


def answer(document: Any, status: int = 200, **headers: str) -> Reply:
    """An answer of JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"content-type": "application/json", **named}, json.dumps(document).encode())


def problem(code: str, status: int, detail: str = "no", **headers: str) -> Reply:
    """A problem document of the service."""
    document = {
        "type": f"urn:attribution-service:problem:{code.replace('_', '-')}",
        "title": "A title",
        "status": status,
        "detail": detail,
    }
    return answer(document, status, content_type="application/problem+json", **headers)


def job(status: str = "running", **fields: Any) -> dict[str, Any]:
    """A `Job` document."""
    return {
        "id": "j1",
        "status": status,
        "progress": {"done": 1, "total": 4, "fraction": 0.25},
        "model": "net",
        "version": "1",
        "method": {"name": "saliency"},
        "target": None,
        "priority": "interactive",
        "created_at": "2026-03-01T12:00:00.000Z",
        "links": {"self": "/jobs/j1", "events": "/jobs/j1/events", "result": "/jobs/j1/result"},
        **fields,
    }
