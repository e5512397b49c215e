"""A model that can be asked: its card, with everything present that a loaded model publishes."""

from dataclasses import dataclass
from typing import Self

from schemas.errors import ModelUnavailable, ModelUnloaded
from schemas.models import Defaults, InputCard, ModelCard, OutputCard

RETRY_AFTER_S = 30  # a model that failed to load needs its operator
LOADING_RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """The card's parts that a request is checked against."""

    card: ModelCard
    input: InputCard
    output: OutputCard
    defaults: Defaults

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Whoever asks a model that is out of memory brings it back.

        Raises:
            ModelUnloaded: the operator has taken it out of service.
            ModelUnavailable: it is being loaded, or failed to load, with the card's reason.
        """
        if card.status == "unloaded":
            raise ModelUnloaded(f"the model {card.name} {card.version} is unloaded")
        if card.status == "loading":
            detail = f"the model {card.name} {card.version} is being loaded"
            raise ModelUnavailable(detail, retry_after_s=LOADING_RETRY_AFTER_S)
        if card.status == "failed" or card.input is None or card.output is None or card.defaults is None:
            reason = card.error or "its worker gave no reason"
            detail = f"the model {card.name} failed to load: {reason}"
            raise ModelUnavailable(detail, retry_after_s=RETRY_AFTER_S)
        return cls(card, card.input, card.output, card.defaults)
