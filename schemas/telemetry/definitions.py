"""What defines a metric."""

from bisect import bisect_left
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
# gateway: each gateway counts its own; their sum is the service's.
# store: kept in the job store, so every gateway reports the same value; their maximum is the service's.
# worker: from the latest heartbeat of each live worker, with its id as a label; every gateway reports the same.
Home = Literal["gateway", "store", "worker"]


class Definition(NamedTuple):
    """One metric.

    Attributes:
        name: with `_total` for a counter.
        kind: counter, gauge or histogram.
        labels: in order. The values of each are bounded, see docs/metrics.md.
        help: one sentence, for `# HELP`.
        home: who counts it, which says how the values of several gateways are joined.
        buckets: upper bounds of a histogram, without +Inf, ascending.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    home: Home
    buckets: tuple[float, ...] = ()

    def series(self, *values: str) -> str:
        """The name of one series in the job store, where each model has a hash of its own: the name of the metric and
        the values of all labels but `model`, apart by spaces. No value of such a label holds a space.

        Raises:
            ValueError: another number of values than the metric has labels besides `model`.
        """
        if len(values) != len(self.labels) - ("model" in self.labels):
            raise ValueError(f"{self.name} takes values for {self.labels}, not {values}")
        return " ".join((self.name, *values))

    def bucket(self, value: float) -> str:
        """The upper bound of the bucket that counts the value, as its label `le` shows it."""
        return _texts(self.buckets)[bisect_left(self.buckets, value)]


@lru_cache
def _texts(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*map(bound_text, bounds), "+Inf")


def bound_text(bound: float) -> str:
    """A bound as OpenMetrics writes it: `0.5`, `10.0`, `1e-05`."""
    return repr(float(bound))
