"""Clients behind a load balancer that sends each request to the next gateway, and goes on where none listens."""

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.watching import LIMIT_S

TRIES = 50


@dataclass(eq=False)
class LoadBalancer:
    """A list of gateways that changes while requests are sent. Every request has a connection of its own.

    Attributes:
        answers: how often each HTTP status was answered.
        refused: connections that were refused, after which the next gateway was asked.
        broken: connections that broke before an answer, likewise.
    """

    urls: list[str]
    answers: dict[int, int] = field(default_factory=dict)
    refused: int = 0
    broken: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = itertools.count()

    def add(self, url: str) -> None:
        with self._lock:
            self.urls.append(url)

    def remove(self, url: str) -> None:
        with self._lock:
            self.urls.remove(url)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer of the first gateway that gives one. A request that may arrive twice needs an idempotency key."""
        for _ in range(TRIES):
            with self._lock:
                url = self.urls[next(self._turns) % len(self.urls)]
            try:
                answer = httpx.request(method, url + path, timeout=LIMIT_S, trust_env=False, **options)
            except httpx.ConnectError:
                with self._lock:
                    self.refused += 1
            except httpx.TransportError:
                with self._lock:
                    self.broken += 1
            else:
                with self._lock:
                    self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
                return answer
        raise AssertionError(f"no gateway answered {method} {path}")
