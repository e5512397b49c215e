"""The models of a service, whose cards are kept for a while, since each input is prepared by one."""

from __future__ import annotations

from time import monotonic
from typing import Any
from urllib.parse import quote

from attribution_client.core.requests import choose_model
from attribution_client.core.sending import Retries, send_json
from attribution_client.core.steps import Call, Flow
from attribution_client.decode import decode
from attribution_client.inputs.given import kind_of
from attribution_client.wire.answers import AdminCommandStatus, ModelCard, ModelList

KEPT_S = 60.0


class Cards:
    """The cards of the models that were used lately. One for each client."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str | None], tuple[float, ModelCard]] = {}

    def find(self, name: str, version: str | None, retries: Retries) -> Flow[ModelCard]:
        """The card of a model, from the service unless it was fetched in the last minute.

        Raises:
            ModelNotFound: there is no such model.
        """
        now_s = monotonic()
        fetched_s, card = self._kept.get((name, version), (-KEPT_S, None))
        if card is not None and now_s - fetched_s < KEPT_S:
            return card
        params = {"version": version} if version else {}
        document = yield from send_json(Call("GET", model_path(name), params), retries)
        card = decode(ModelCard, document)
        self._kept[name, version] = (now_s, card)
        return card

    def for_input(self, given: Any, retries: Retries) -> Flow[ModelCard]:
        """The card of the only model that takes such an input.

        Raises:
            InputError: none or several do.
        """
        cards = yield from list_models(retries)
        return choose_model(cards, kind_of(given))


def list_models(retries: Retries) -> Flow[list[ModelCard]]:
    """The cards of all models, failed ones included."""
    document = yield from send_json(Call("GET", "/models"), retries)
    return decode(ModelList, document).models


def command(action: str, name: str, version: str | None, wait_s: float, retries: Retries) -> Flow[AdminCommandStatus]:
    """Loads or unloads a model, and waits for the workers."""
    params = {"wait": wait_s} | ({"version": version} if version else {})
    call = Call("POST", model_path(name, f"/{action}"), params, repeatable=False, timeout_s=wait_s + 30.0)
    document = yield from send_json(call, retries)
    return decode(AdminCommandStatus, document)


def model_path(name: str, below: str = "") -> str:
    """The path of a model, or of what is below it."""
    return f"/models/{quote(name, safe='')}{below}"
