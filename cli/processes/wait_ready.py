"""Waits until the service is ready."""

import asyncio

import httpx

from cli.processes.backoff import Backoff
from service.gateway_documents import Health, ModelList

TIMEOUT_S = 600.0  # models may be large, and disks slow


async def ready(url: str, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Returns once `/readyz` tells of a live worker, and of no model that is being loaded. A worker that finds jobs
    waiting lives before all its models are loaded.

    Returns:
        The names of the models; none where the service tells them to holders of a key alone.

    Raises:
        TimeoutError: it does not within `timeout_s` seconds.
    """
    pauses = Backoff(first_s=0.05, most_s=1.0)
    async with asyncio.timeout(timeout_s), httpx.AsyncClient(base_url=url, timeout=5.0, trust_env=False) as client:
        while True:
            try:
                if await _is_ready(client):
                    return await _models(client)  # models of an earlier service may sleep in the store
            except httpx.TransportError:
                pass
            await asyncio.sleep(pauses.next_s())


async def _is_ready(client: httpx.AsyncClient) -> bool:
    response = await client.get("/readyz")
    if response.status_code != httpx.codes.OK:
        return False
    health = Health.model_validate_json(response.content)
    return bool(health.workers) and not health.loading


async def _models(client: httpx.AsyncClient) -> list[str]:
    reply = await client.get("/models")
    if reply.status_code != httpx.codes.OK:
        return []
    cards = ModelList.model_validate_json(reply.content).models
    return sorted({card.name for card in cards if card.status == "ready"})
