"""Names of model cards in the registry, and which card answers a request."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, get_args

from broker.group_names import GroupNames
from schemas.model_key import ModelKey
from schemas.models import ModelCard, ModelStatus

STATUSES: tuple[str, ...] = get_args(ModelStatus)  # best first
SERVING = frozenset({"ready", "idle"})  # at a worker that takes jobs for the model
HOLDING = SERVING | {"loading"}


class CardName(NamedTuple):
    """The name of a card: the model, and its status at the worker that announced the card.

    Cards of different status are kept apart, so that a worker that cannot load a model does not hide the others that
    serve it.

    Attributes:
        unloaded: an admin command has unloaded the model, whatever the card says.
        asleep: the card says that the model takes jobs, and no worker lives that computes them.
        left: it sleeps, and its group of workers goes on without it.
    """

    status: str
    model: ModelKey
    unloaded: bool = False
    asleep: bool = False
    left: bool = False

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
        if self.unloaded:
            return card.model_copy(update={"status": "unloaded", "error": None})
        return card.model_copy(update={"status": "asleep"}) if self.asleep else card


class CardRegistry(NamedTuple):
    """What the store knows of models, as the script `known_models` returns it.

    Attributes:
        cards: names of cards, and when each expires, in milliseconds.
        groups: what groups of workers hold.
        unloaded: models that an admin command has unloaded.
        served: names of cards by which a live worker takes jobs.
    """

    cards: Mapping[str, int]
    groups: GroupNames
    unloaded: frozenset[ModelKey]
    served: frozenset[str]

    def names(self) -> list[CardName]:
        """One name per model and version, ordered by name and version: that of the best status at the workers that
        live; or, of a model that sleeps, that of the card announced last."""
        known: defaultdict[ModelKey, list[tuple[CardName, int]]] = defaultdict(list)
        for member, expires_ms in self.cards.items():
            name = _parsed(member)
            if name is not None:
                known[name.model].append((name, expires_ms))
        chosen = [self._chosen(model, cards) for model, cards in known.items()]
        return sorted(chosen, key=lambda name: (name.model.name, version_order(name.model.version)))

    def _chosen(self, model: ModelKey, cards: list[tuple[CardName, int]]) -> CardName:
        kept = [one for one in cards if one[0].status in SERVING]
        others = [name for name, _ in cards if name.status not in SERVING]
        served = [name for name, _ in kept if str(name) in self.served]
        unloaded, held = model in self.unloaded, self.groups.hold(model)
        if served:
            return min(served, key=_rank)._replace(unloaded=unloaded)
        if not kept or (not held and any(name.status == "failed" for name in others)):
            return min(others, key=_rank)._replace(unloaded=unloaded)
        latest, _ = max(kept, key=lambda one: one[1])
        return latest._replace(unloaded=unloaded, asleep=True, left=not held)


def name_of(card: ModelCard) -> CardName:
    """The name under which a worker announces a card."""
    return CardName(card.status, ModelKey(card.name, card.version))


def model_keys(members: Iterable[bytes]) -> frozenset[ModelKey]:
    """The models that a set of the store names; what is no name of a model is left out."""
    keys = set()
    for member in members:
        with suppress(ValueError):
            keys.add(ModelKey.parse(member.decode()))
    return frozenset(keys)


def best_card(names: Iterable[CardName], model: str, version: str | None) -> CardName | None:
    """The card of that version of a model; without a version the highest, of those that serve if any does. One that its
    group no longer holds comes after the others that do: a newer version may have been taken back."""
    candidates = [name for name in names if name.model.name == model and version in (None, name.model.version)]
    return max(
        candidates,
        key=lambda name: (name.is_serving and not name.left, name.is_serving, version_order(name.model.version)),
        default=None,
    )


def version_order(version: str) -> list[tuple[bool, int, str]]:
    """A sorting key: "10" after "9", "1.10" after "1.9", numbers after words."""
    parts = re.findall(r"[0-9]+|[^0-9._-]+", version)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _parsed(member: str) -> CardName | None:
    """None for a name of a later version of the service, or a damaged one."""
    status, _, text = member.partition(" ")
    if status not in STATUSES:
        return None
    try:
        return CardName(status, ModelKey.parse(text))
    except ValueError:
        return None


def _rank(name: CardName) -> int:
    return STATUSES.index(name.status)
