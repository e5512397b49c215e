"""Builds the bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attribution_client.errors import InputError
from attribution_client.inputs.arrays import as_json
from attribution_client.wire.answers import ModelCard

ACCEPTING = frozenset({"ready", "idle", "asleep"})  # statuses of models that take requests


def explain_body(
    card: ModelCard,
    given: Mapping[str, Any],
    *,
    version: str | None,
    method: Any,
    parameters: Mapping[str, Any],
    target: Any,
    quality: Sequence[Any] | None,
    seed: int | None,
    priority: str | None,
) -> dict[str, Any]:
    """The body of `POST /explain`. What is None is left to the service.

    Raises:
        InputError: parameters come with no method, and the model has no default.
    """
    body = {
        "model": card.name,
        "version": version,
        "input": given,
        "method": method_field(method, parameters, card),
        "target": as_json(target),
        "quality": as_json(list(quality)) if quality else None,
        "seed": as_json(seed),
        "priority": priority,
    }
    return {name: value for name, value in body.items() if value is not None}


def compare_body(
    models: Sequence[str],
    given: Mapping[str, Any],
    *,
    methods: Sequence[Any] | None,
    targets: Sequence[Any] | None,
    seed: int | None,
    priority: str | None,
) -> dict[str, Any]:
    """The body of `POST /compare`. What is None is left to the service."""
    body = {
        "models": list(models),
        "input": given,
        "methods": None if methods is None else as_json(list(methods)),
        "targets": None if targets is None else as_json(list(targets)),
        "seed": as_json(seed),
        "priority": priority,
    }
    return {name: value for name, value in body.items() if value is not None}


def method_field(method: Any, parameters: Mapping[str, Any], card: ModelCard) -> Any:
    """The `method` of a request: a name, or an object with the parameters that are not None.

    Raises:
        InputError: parameters come with no name, and the model has no default method.
    """
    fields = {name: as_json(value) for name, value in parameters.items() if value is not None}
    if isinstance(method, Mapping):
        fields = {**as_json(method), **fields}
    elif not fields:
        return method
    elif method is not None:
        fields = {"name": method, **fields}
    if not fields:
        return None
    default = card.defaults.method if card.defaults else None
    if fields.get("name", default) is None:
        raise InputError(f"name the method that {', '.join(fields)} belong to")
    return {"name": default, **fields}


def choose_model(cards: Sequence[ModelCard], kind: str) -> ModelCard:
    """The only model that takes this kind of input.

    Raises:
        InputError: none or several do.
    """
    served = ", ".join(sorted({card.name for card in cards})) or "none"
    fitting = [card for card in cards if card.status in ACCEPTING and card.input and card.input.kind == kind]
    names = sorted({card.name for card in fitting})
    if len(names) == 1:
        return fitting[-1]
    if not names:
        raise InputError(f"no model takes {kind} input; the service has: {served}")
    raise InputError(f"several models take {kind} input, choose one: {', '.join(names)}")
