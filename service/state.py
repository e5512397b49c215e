"""What every request finds: the gateway's long-lived parts, handed out by the lifespan."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypedDict, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from broker import JobStore
from service.model_cards import RecentCards
from service.monitoring.http_metrics import HttpMetrics
from service.settings import GatewaySettings

T = TypeVar("T")
SMALL_BYTES = 65_536  # of JSON: parsed or written in a fraction of a millisecond
COPIED_BYTES = 4 * 1024 * 1024  # of tensors that are handed on as they are: copied in a fraction of a millisecond


def _cpu_threads() -> CapacityLimiter:
    return CapacityLimiter(max(2, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway process. `cpu` bounds how many requests parse, decode and render at the same time."""

    settings: GatewaySettings
    store: JobStore
    metrics: HttpMetrics
    cards: RecentCards = field(default_factory=RecentCards)
    cpu: CapacityLimiter = field(default_factory=_cpu_threads)

    async def compute(self, work: Callable[..., T], *arguments: object) -> T:
        """CPU work in a thread, off the event loop; raises what `work` raises."""
        return await to_thread.run_sync(work, *arguments, limiter=self.cpu)

    async def compute_sized(
        self, size_bytes: int, work: Callable[..., T], *arguments: object, small_bytes: int = SMALL_BYTES
    ) -> T:
        """`compute` for work that grows with `size_bytes` alone: up to `small_bytes` the way into a thread and back
        takes longer than the work."""
        if size_bytes <= small_bytes:
            return work(*arguments)
        return await self.compute(work, *arguments)


class State(TypedDict):
    """What the lifespan yields; `request.state` has the same names."""

    gateway: Gateway


def open_store(settings: GatewaySettings) -> JobStore:
    """The job store of these settings. Whoever opens it closes it."""
    return JobStore(
        settings.redis_url,
        namespace=settings.namespace,
        queue_depth=settings.queue_depth,
        result_ttl_s=settings.result_ttl_s,
    )


async def _gateway(request: Request) -> Gateway:  # FastAPI runs what is not async in a thread
    gateway: Gateway = request.state.gateway
    return gateway


CurrentGateway = Annotated[Gateway, Depends(_gateway)]
