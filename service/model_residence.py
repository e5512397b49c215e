"""A model card as clients see it: with what the live workers report about the model, in the language of the request."""

from broker import WorkerInfo
from schemas.model_key import ModelKey
from schemas.models import ModelCard
from service.http.asked_language import asked_language
from service.http.translation import card_in_language


def with_residence(card: ModelCard, workers: list[WorkerInfo]) -> ModelCard:
    """The card with the residence of its model at each of the workers that have it."""
    key = ModelKey(card.name, card.version)
    found = [worker.residence[key] for worker in workers if key in worker.residence]
    return card.model_copy(update={"residence": found})


def shown_card(card: ModelCard, workers: list[WorkerInfo]) -> ModelCard:
    """The card for the current request: with residence, and with reasons in the request's language."""
    return card_in_language(with_residence(card, workers), asked_language())
