"""A model that can be asked: its card, with everything present that a loaded model publishes."""

from dataclasses import dataclass
from typing import Self

from schemas.errors import ModelUnavailable
from schemas.models import Defaults, InputCard, ModelCard, OutputCard

RETRY_AFTER_S = 30  # a model that failed to load needs its operator


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """The card's parts that a request is checked against."""

    card: ModelCard
    input: InputCard
    output: OutputCard
    defaults: Defaults

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Raises `ModelUnavailable` with the card's reason when the model failed to load."""
        if card.status != "ready" or card.input is None or card.output is None or card.defaults is None:
            reason = card.error or "its worker gave no reason"
            detail = f"the model {card.name} failed to load: {reason}"
            raise ModelUnavailable(detail, retry_after_s=RETRY_AFTER_S)
        return cls(card, card.input, card.output, card.defaults)
