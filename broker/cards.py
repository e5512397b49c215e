"""Which cards there are, by their names in the registry, and which one answers a request."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from schemas.models import ModelCard


class CardName(NamedTuple):
    """A card in the registry. Ready and failed cards of a model stand apart, so that a worker that cannot load it
    does not hide the others that serve it."""

    status: str
    model: str
    version: str

    def __str__(self) -> str:
        return f"{self.status} {self.model}@{self.version}"


def name_of(card: ModelCard) -> CardName:
    return CardName(card.status, card.name, card.version)


def card_names(members: Iterable[str]) -> list[CardName]:
    """One per model and version, ready before failed, ordered by name and version."""
    chosen: dict[tuple[str, str], CardName] = {}
    for member in members:
        status, _, rest = member.partition(" ")
        model, _, version = rest.rpartition("@")
        if status == "ready" or (model, version) not in chosen:
            chosen[model, version] = CardName(status, model, version)
    return sorted(chosen.values(), key=lambda name: (name.model, version_order(name.version)))


def best_card(names: Iterable[CardName], model: str, version: str | None) -> CardName | None:
    """That version; or the highest, of the ready ones if any is."""
    candidates = [name for name in names if name.model == model and version in (None, name.version)]
    return max(candidates, key=lambda name: (name.status == "ready", version_order(name.version)), default=None)


def version_order(version: str) -> list[tuple[bool, int, str]]:
    """A sorting key: "10" after "9", "1.10" after "1.9", numbers after words."""
    parts = re.findall(r"[0-9]+|[^0-9._-]+", version)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
