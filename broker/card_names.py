"""Names of model cards in the registry, and which card answers a request."""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import NamedTuple, get_args

from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus

STATUSES: tuple[str, ...] = get_args(ModelStatus)  # best first
SERVING = frozenset({"ready", "idle"})


class CardName(NamedTuple):
    """The name of a card: the model, and its status at the worker that announced the card.

    Cards of different status are kept apart, so that a worker that cannot load a model does not hide the others that
    serve it. `unloaded` says that an admin command has unloaded the model, whatever the card says.
    """

    status: str
    model: ModelKey
    unloaded: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.model}"

    @property
    def is_serving(self) -> bool:
        """Whether jobs for the model are accepted."""
        return self.status in SERVING and not self.unloaded

    def shown(self, blob: bytes) -> ModelCard:
        """The card to show to clients, from its JSON.

        Raises:
            ValidationError: the card is damaged, or of a version of the service that this one cannot read.
        """
        card = ModelCard.model_validate_json(blob)
        return card.model_copy(update={"status": "unloaded", "error": None}) if self.unloaded else card


def name_of(card: ModelCard) -> CardName:
    """The name under which a worker announces a card."""
    return CardName(card.status, ModelKey(card.name, card.version))


def card_names(members: Iterable[str], unloaded: Collection[ModelKey] = ()) -> list[CardName]:
    """One name per model and version, that of the best status, ordered by name and version."""
    chosen: dict[ModelKey, CardName] = {}
    for member in members:
        status, _, text = member.partition(" ")
        if status not in STATUSES:  # of a later version of the service
            continue
        try:
            model = ModelKey.parse(text)
        except ValueError:
            continue
        if model not in chosen or _rank(status) < _rank(chosen[model].status):
            chosen[model] = CardName(status, model, model in unloaded)
    return sorted(chosen.values(), key=lambda name: (name.model.name, version_order(name.model.version)))


def model_keys(members: Iterable[bytes]) -> frozenset[ModelKey]:
    """The models that a set of the store names; what is no name of a model is left out."""
    keys = set()
    for member in members:
        with suppress(ValueError):
            keys.add(ModelKey.parse(member.decode()))
    return frozenset(keys)


def best_card(names: Iterable[CardName], model: str, version: str | None) -> CardName | None:
    """The card of that version of a model; without a version the highest, of those that serve if any does."""
    candidates = [name for name in names if name.model.name == model and version in (None, name.model.version)]
    return max(candidates, key=lambda name: (name.is_serving, version_order(name.model.version)), default=None)


def version_order(version: str) -> list[tuple[bool, int, str]]:
    """A sorting key: "10" after "9", "1.10" after "1.9", numbers after words."""
    parts = re.findall(r"[0-9]+|[^0-9._-]+", version)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _rank(status: str) -> int:
    return STATUSES.index(status)
