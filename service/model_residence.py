"""Adds to a model card what the live workers report about the model."""

from broker import WorkerInfo
from schemas.model_key import ModelKey
from schemas.models import ModelCard


def with_residence(card: ModelCard, workers: list[WorkerInfo]) -> ModelCard:
    """The card with the residence of its model at each of the workers that have it."""
    key = ModelKey(card.name, card.version)
    found = [worker.residence[key] for worker in workers if key in worker.residence]
    return card.model_copy(update={"residence": found})
