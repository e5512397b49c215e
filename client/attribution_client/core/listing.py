"""Lists jobs, and the guides of the methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attribution_client.core.sending import Retries, send_json
from attribution_client.core.steps import Call, Flow
from attribution_client.decode import decode
from attribution_client.wire.answers import Job, JobPage, MethodCatalogue

PAGE = 200  # jobs on the largest page that the service gives


def list_jobs(filters: Mapping[str, Any], limit: int, retries: Retries) -> Flow[list[Job]]:
    """At most `limit` jobs, newest first, from as many pages as that takes."""
    chosen = {name: value for name, value in filters.items() if value is not None}
    jobs: list[Job] = []
    cursor: str | None = None
    while len(jobs) < limit:
        params = {**chosen, "limit": min(PAGE, limit - len(jobs))} | ({"cursor": cursor} if cursor else {})
        page = decode(JobPage, (yield from send_json(Call("GET", "/jobs", params), retries)))
        jobs += page.jobs
        cursor = page.next
        if cursor is None or not page.jobs:
            break
    return jobs[:limit]


def list_methods(language: str | None, retries: Retries) -> Flow[MethodCatalogue]:
    """The guides of all methods, in English (`en`) or Spanish (`es`)."""
    headers = {"Accept-Language": language} if language else {}
    return decode(MethodCatalogue, (yield from send_json(Call("GET", "/methods", headers=headers), retries)))
