"""Waits until the service is ready."""

import asyncio
import contextlib
from collections.abc import Callable

import httpx

from cli.processes.backoff import Backoff
from service.gateway_documents import ModelList

TIMEOUT_S = 600.0  # models may be large, and disks slow


async def ready(url: str, on_model: Callable[[str], None] = lambda _: None, timeout_s: float = TIMEOUT_S) -> None:
    """Returns once `/readyz` responds 200: the job store is reachable and a worker has loaded its models.

    `on_model` is called with the name of each model that has loaded, as far as the service tells strangers.

    Raises:
        TimeoutError: it does not within `timeout_s` seconds.
    """
    pauses = Backoff(first_s=0.05, most_s=1.0)
    told: set[str] = set()
    async with asyncio.timeout(timeout_s), httpx.AsyncClient(base_url=url, timeout=5.0, trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                is_ready = (await client.get("/readyz")).status_code == httpx.codes.OK
                for name in sorted(await _loaded(client) - told):
                    told.add(name)
                    on_model(name)
                if is_ready:
                    return
            await asyncio.sleep(pauses.next_s())


async def _loaded(client: httpx.AsyncClient) -> set[str]:
    """The models that have loaded; none where a key is needed."""
    reply = await client.get("/models")
    if reply.status_code != httpx.codes.OK:
        return set()
    return {card.name for card in ModelList.model_validate_json(reply.content).models if card.status == "ready"}
