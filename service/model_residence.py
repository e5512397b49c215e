"""Where a model is in memory, and what became of it there. Pure."""

from broker import WorkerInfo
from schemas.models import ModelCard


def with_residence(card: ModelCard, workers: list[WorkerInfo]) -> ModelCard:
    """The card, with what each live worker says of its model."""
    key = f"{card.name}@{card.version}"
    found = [worker.residence[key] for worker in workers if key in worker.residence]
    return card.model_copy(update={"residence": found})
