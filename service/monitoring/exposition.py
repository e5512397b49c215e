"""Metrics as text: Prometheus' own format, or OpenMetrics where the client accepts it, which shows exemplars."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.monitoring.store_metrics import StoreState, store_families


class Exposition(NamedTuple):
    body: bytes
    media: str


class _Joined(Collector):
    """The gateway's own metrics, then those of the store."""

    def __init__(self, own: Collector, state: StoreState | None) -> None:
        self._own = own
        self._state = state

    def collect(self) -> Iterator[Metric]:
        yield from self._own.collect()
        yield from store_families(self._state)

    def describe(self) -> Iterable[Metric]:
        return ()


def exposition(own: Collector, state: StoreState | None, accept: str) -> Exposition:
    """All metrics in the format that the header `Accept` prefers.

    Args:
        own: the gateway's metrics; see `HttpMetrics.collector`.
        state: of the store; None while it does not answer.
    """
    encode, media = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Joined(own, state))
    return Exposition(encode(registry), media)
