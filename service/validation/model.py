"""A model that is ready for requests: its card, with all parts that a loaded model publishes."""

from dataclasses import dataclass
from typing import Self

from schemas.errors import ModelUnavailable, ModelUnloaded
from schemas.models import Defaults, InputCard, ModelCard, OutputCard
from schemas.sentences import Sentence
from service.tuning import FAILED_MODEL_RETRY_S, LOADING_MODEL_RETRY_S


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """The parts of the card against which a request is checked."""

    card: ModelCard
    input: InputCard
    output: OutputCard
    defaults: Defaults

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """The model of a card that takes requests. A request for an evicted model makes its worker load it again.

        Raises:
            ModelUnloaded: the operator has taken it out of service.
            ModelUnavailable: the model is being loaded, or failed to load; gives the card's reason.
        """
        if card.status == "unloaded":
            raise ModelUnloaded(
                Sentence("the model {model} {version} is unloaded", model=card.name, version=card.version)
            )
        if card.status == "loading":
            detail = Sentence("the model {model} {version} is being loaded", model=card.name, version=card.version)
            raise ModelUnavailable(detail, retry_after_s=LOADING_MODEL_RETRY_S)
        if card.status == "failed" or card.input is None or card.output is None or card.defaults is None:
            reason = card.error or Sentence("no reason is known; see its worker's log")
            detail = Sentence("the model {model} failed to load: {reason}", model=card.name, reason=reason)
            raise ModelUnavailable(detail, retry_after_s=FAILED_MODEL_RETRY_S)
        return cls(card, card.input, card.output, card.defaults)
