"""A client of the HTTP API."""

import ipaddress
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from cli.processes.backoff import Backoff
from schemas.comparisons import Comparison
from schemas.errors import Problem
from schemas.jobs import TERMINAL, Job
from schemas.models import AdminCommandStatus, ModelCard
from schemas.results import Explanation

KEY_VARIABLE = "ATTRIBUTION_KEY"  # the API key that the client sends
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
PATIENCE = 8  # attempts without an event before the client stops following a job: about ten seconds
CARDS: TypeAdapter[list[ModelCard]] = TypeAdapter(list[ModelCard])


class Unreachable(Exception):
    """No service answers at this address."""


class Refused(Exception):
    """The service responded with a problem document."""

    def __init__(self, problem: Problem, retry_after: str | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after = retry_after


class Service:
    """Sends requests to one service. Every method raises `Refused` or `Unreachable`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            # Requests to this machine bypass the proxies of the environment.
            self._client = httpx.Client(
                base_url=self.url,
                timeout=TIMEOUT,
                headers=_language() | _authorization(),
                trust_env=not _is_loopback(self.url),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{url} is not a URL: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._client.close()

    def models(self) -> list[ModelCard]:
        """The cards of all models, failed ones included."""
        return CARDS.validate_python(self._request("GET", "/models").json()["models"])

    def send_admin_command(
        self, action: Literal["load", "unload"], name: str, version: str | None, wait_s: float
    ) -> AdminCommandStatus:
        """Loads or unloads a model and waits for the workers."""
        reply = self._request(
            "POST",
            f"/models/{quote(name, safe='')}/{action}",
            params={"wait": wait_s} | ({"version": version} if version else {}),
            timeout=httpx.Timeout(wait_s + 30.0, connect=5.0),
        )
        return AdminCommandStatus.model_validate_json(reply.content)

    def submit(self, body: dict[str, Any]) -> Job:
        """Submits a job."""
        return Job.model_validate_json(self._submit("/explain", body))

    def job(self, job_id: str) -> Job:
        """The present state of the job."""
        return Job.model_validate(self._request("GET", f"/jobs/{job_id}").json())

    def cancel(self, job_id: str) -> None:
        """Cancels the job."""
        self._request("DELETE", f"/jobs/{job_id}")

    def compare(self, body: dict[str, Any]) -> Comparison:
        """Submits a comparison."""
        return Comparison.model_validate_json(self._submit("/compare", body))

    def cancel_comparison(self, comparison_id: str) -> None:
        """Cancels its jobs."""
        self._request("DELETE", f"/comparisons/{comparison_id}")

    def follow_comparison(self, comparison: Comparison) -> Iterator[Comparison]:
        """Polls the comparison at growing intervals and yields it each time, until all its jobs have ended."""
        pauses = Backoff(first_s=0.1, most_s=1.0)
        latest = comparison
        while latest.status not in TERMINAL:
            time.sleep(pauses.next_s())
            reply = self._request("GET", f"/comparisons/{comparison.id}")
            latest = Comparison.model_validate_json(reply.content)
            yield latest

    def sheet(self, comparison_id: str, options: dict[str, Any]) -> bytes:
        """The sheet, as PNG."""
        return self._request("GET", f"/comparisons/{comparison_id}/sheet.png", params=options).content

    def follow(self, job: Job) -> Iterator[Job]:
        """Yields the job after each change, from server-sent events, until it is terminal.

        A broken stream is opened again. Between two streams the job is polled once.
        """
        pauses = Backoff(first_s=0.1, most_s=2.0)
        silent = 0
        latest = job
        while latest.status not in TERMINAL:
            try:
                for latest in self._events(job.id):
                    pauses.reset()
                    silent = 0
                    yield latest
                if latest.status in TERMINAL:
                    return
                latest = self.job(job.id)
                yield latest
            except (Unreachable, Refused) as error:
                silent += 1
                if silent >= PATIENCE or (isinstance(error, Refused) and error.problem.status < 500):
                    raise
            time.sleep(pauses.next_s())

    def explanation(self, job_id: str) -> Explanation:
        """The whole result."""
        reply = self._request("GET", f"/jobs/{job_id}/result", headers={"Accept": "application/json"})
        return Explanation.model_validate_json(reply.content)

    def result(self, job_id: str, media_type: str) -> bytes:
        """The result in the given media type."""
        return self._request("GET", f"/jobs/{job_id}/result", headers={"Accept": media_type}).content

    def overlay(self, job_id: str, options: dict[str, Any]) -> bytes:
        """The overlay, as PNG."""
        return self._request("GET", f"/jobs/{job_id}/overlay.png", params=options).content

    def _submit(self, path: str, body: dict[str, Any]) -> bytes:
        """Posts what the service queues. An idempotency key makes a retry safe when the response was lost."""
        headers = {"Idempotency-Key": secrets.token_urlsafe(16)}
        try:
            return self._request("POST", path, json=body, headers=headers).content
        except Unreachable as error:
            if not isinstance(error.__cause__, httpx.ReadError | httpx.RemoteProtocolError):
                raise
            return self._request("POST", path, json=body, headers=headers).content

    def _events(self, job_id: str) -> Iterator[Job]:
        try:
            with self._client.stream("GET", f"/jobs/{job_id}/events") as reply:
                if reply.is_error:
                    reply.read()
                    raise refusal(reply)
                for event, data in events_of(reply.iter_lines()):
                    if event == "job":
                        yield Job.model_validate_json(data)
                    elif event == "problem":
                        raise Refused(Problem.model_validate_json(data))
        except httpx.TransportError as error:
            raise Unreachable(str(error)) from error

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            reply = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unreachable(f"no service answers at {self.url}: {error}") from error
        if reply.is_error:
            raise refusal(reply)
        return reply


def events_of(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Parses server-sent events into (event, data). Comments and other fields are ignored."""
    event, data = "message", []
    for line in lines:
        name, _, value = line.partition(":")
        if name == "event":
            event = value.removeprefix(" ")
        elif name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield event, "\n".join(data)
            event, data = "message", []


def refusal(reply: httpx.Response) -> Refused:
    """The problem document of an error response, or one made from the status where a proxy sent none."""
    try:
        problem = Problem.model_validate_json(reply.content)
    except ValidationError:
        problem = Problem(
            type="about:blank",
            title=reply.reason_phrase or "Error",
            status=reply.status_code,
            detail=f"{reply.request.url} answered {reply.status_code} without a problem document",
        )
    return Refused(problem, reply.headers.get("Retry-After"))


def _language() -> dict[str, str]:
    """The language of captions, from the environment's locale."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    language = locale.partition("_")[0].partition(".")[0].lower()
    return {"Accept-Language": language} if language.isalpha() and language not in {"c", "posix"} else {}


def _authorization() -> dict[str, str]:
    """The API key of the environment, if there is one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return {"Authorization": f"Bearer {key}"} if key else {}


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
