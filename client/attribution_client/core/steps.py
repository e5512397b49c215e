"""The steps that a flow asks of its driver.

A flow is a generator. It yields a step and is sent what came of it, so it can be run by blocking code, by an event
loop, or by a test that has neither network nor clock.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

READ_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Call:
    """Send a request; the driver sends a `Reply`.

    Attributes:
        json: the body, or None.
        accept: the expected media type; answers of another are refused.
        repeatable: whether the request may be sent again when its answer was lost.
        timeout_s: how long the service may be silent.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json"
    repeatable: bool = True
    timeout_s: float = READ_TIMEOUT_S


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds; the driver sends None."""

    seconds: float


@dataclass(frozen=True)
class Listen:
    """Open the stream of a call; the driver sends a `Reply`, whose body is empty unless it is an error's."""

    call: Call


@dataclass(frozen=True)
class NextChunk:
    """Read from the open stream; the driver sends bytes, or None at its end."""


@dataclass(frozen=True)
class StopListening:
    """Close the open stream; the driver sends None."""


@dataclass(frozen=True)
class Reply:
    """An answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class TransportFailure(Exception):
    """Thrown into a flow where a step found no answer.

    Attributes:
        unsent: the request did not reach the service.
        timed_out: the service was silent for longer than the call allows.
    """

    def __init__(self, message: str, *, unsent: bool = False, timed_out: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent
        self.timed_out = timed_out


Step = Call | Pause | Listen | NextChunk | StopListening
T = TypeVar("T")
Flow = Generator[Step, Any, T]
