"""What could not be explained or drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attribution_client.errors import AttributionError

Stage = Literal["service", "explain", "picture"]


@dataclass(frozen=True)
class Failure:
    """One failure.

    Attributes:
        example: the position in the data set; None for a failure of all.
        stage: `service`: the model could not be looked up, so nothing was explained. `picture`: the example was
            explained, but not drawn.
        error: the name of the error's class in `attribution_client.errors`; `NotTried` after an outage.
        message: the error's message.
    """

    example: int | None
    stage: Stage
    error: str
    message: str

    @classmethod
    def of(cls, example: int | None, stage: Stage, error: AttributionError) -> Failure:
        """The failure that an error stands for."""
        return cls(example, stage, type(error).__name__, str(error))


def not_tried(example: int) -> Failure:
    """The failure of an example that comes after one for which the service was out of reach."""
    return Failure(example, "explain", "NotTried", "the service could not be reached for an example before this one")
