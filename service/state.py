"""The long-lived parts of a gateway process, which the lifespan hands to every request."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypedDict, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from broker import JobStore, QueueBounds, SeveralStores, Store, StoreSettings, id_ending
from broker.stores_file import read_stores
from service.api_keys import KeyRing
from service.byte_budget import ByteBudget
from service.model_cards import RecentCards
from service.monitoring.http_metrics import HttpMetrics
from service.rendered import RenderedPictures
from service.settings import GatewaySettings
from service.tuning import SMALL_JSON_BYTES
from service.waits import Waits

T = TypeVar("T")


def _cpu_threads() -> CapacityLimiter:
    return CapacityLimiter(max(2, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process.

    `cpu` bounds how many requests parse, decode and render at the same time, `picture_memory` the memory that decoding
    and drawing pictures takes, `large_results` how many large results are whole in memory. `rendered` keeps what was
    drawn.
    """

    settings: GatewaySettings
    store: Store
    metrics: HttpMetrics
    cards: RecentCards = field(default_factory=RecentCards)
    cpu: CapacityLimiter = field(default_factory=_cpu_threads)
    large_results: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    picture_memory: ByteBudget = field(init=False)
    keys: KeyRing = field(init=False)
    rendered: RenderedPictures = field(default_factory=RenderedPictures)
    waits: Waits = field(default_factory=Waits)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", KeyRing(self.settings.keys))
        object.__setattr__(self, "picture_memory", ByteBudget(self.settings.decode_bytes))

    async def compute(self, work: Callable[..., T], *arguments: object) -> T:
        """Run CPU work in a thread, off the event loop. Raises what `work` raises."""
        return await to_thread.run_sync(work, *arguments, limiter=self.cpu)

    async def compute_sized(
        self, size_bytes: int, work: Callable[..., T], *arguments: object, small_bytes: int = SMALL_JSON_BYTES
    ) -> T:
        """As `compute`, for work whose time depends on `size_bytes` alone.

        Up to `small_bytes` the work runs on the event loop: a thread switch would take longer than the work.
        """
        if size_bytes <= small_bytes:
            return work(*arguments)
        return await self.compute(work, *arguments)


class State(TypedDict):
    """What the lifespan yields; `request.state` has the same names."""

    gateway: Gateway


def open_store(settings: GatewaySettings) -> Store:
    """The job store of these settings, or several behind the interface of one. The caller closes it."""
    default = _opened(settings, settings, "")
    if settings.stores is None:
        return default
    named = read_stores(settings.stores)
    others = {one.name: _opened(settings, one.settings(), one.name) for one in named}
    return SeveralStores(default, others, {model: one.name for one in named for model in one.models})


def _opened(settings: GatewaySettings, place: StoreSettings, name: str) -> JobStore:
    """The store at `place`, with the bounds of these settings; `name` is that of one of several."""
    return JobStore(
        place.store_url,
        namespace=settings.namespace,
        bounds=QueueBounds(
            settings.queue_depth, settings.queue_seconds, int(settings.queue_bytes), settings.store_bytes
        ),
        result_ttl_s=settings.result_ttl_s,
        on_death=_stop_process,
        id_ending=id_ending(name),
    )


def _stop_process() -> None:
    """Stops this gateway as SIGTERM does; its exit code is that of the signal, so whatever started it replaces it."""
    signal.raise_signal(signal.SIGTERM)


async def _gateway(request: Request) -> Gateway:  # async, because FastAPI runs plain functions in a thread
    gateway: Gateway = request.state.gateway
    return gateway


CurrentGateway = Annotated[Gateway, Depends(_gateway)]
