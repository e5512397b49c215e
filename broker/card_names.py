"""Which cards there are, by their names in the registry, and which one answers a request."""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple, get_args

from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus

STATUSES: tuple[str, ...] = get_args(ModelStatus)  # best first
SERVING = frozenset({"ready", "idle"})


class CardName(NamedTuple):
    """A card in the registry. Cards of different status stand apart, so that a worker that cannot load a model does
    not hide the others that serve it. `unloaded` is what the operator ordered, whatever the card says."""

    status: str
    model: str
    version: str
    unloaded: bool = False

    def __str__(self) -> str:
        return f"{self.status} {ModelKey(self.model, self.version)}"

    @property
    def serves(self) -> bool:
        """Whether jobs for it are taken."""
        return self.status in SERVING and not self.unloaded

    def shown(self, blob: bytes) -> ModelCard:
        """The card as it is to be shown, from its JSON."""
        card = ModelCard.model_validate_json(blob)
        return card.model_copy(update={"status": "unloaded", "error": None}) if self.unloaded else card


def name_of(card: ModelCard) -> CardName:
    return CardName(card.status, card.name, card.version)


def card_names(members: Iterable[str], unloaded: Collection[ModelKey] = ()) -> list[CardName]:
    """One per model and version, the one of the best status, ordered by name and version."""
    chosen: dict[ModelKey, CardName] = {}
    for member in members:
        status, _, text = member.partition(" ")
        key = ModelKey.parse(text)
        if status in STATUSES and (key not in chosen or _rank(status) < _rank(chosen[key].status)):
            chosen[key] = CardName(status, *key, key in unloaded)
    return sorted(chosen.values(), key=lambda name: (name.model, version_order(name.version)))


def best_card(names: Iterable[CardName], model: str, version: str | None) -> CardName | None:
    """That version; or the highest, of those that serve if any does."""
    candidates = [name for name in names if name.model == model and version in (None, name.version)]
    return max(candidates, key=lambda name: (name.serves, version_order(name.version)), default=None)


def version_order(version: str) -> list[tuple[bool, int, str]]:
    """A sorting key: "10" after "9", "1.10" after "1.9", numbers after words."""
    parts = re.findall(r"[0-9]+|[^0-9._-]+", version)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _rank(status: str) -> int:
    return STATUSES.index(status)
