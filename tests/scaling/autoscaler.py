"""The decisions of KEDA and the Horizontal Pod Autoscaler, by their published formulas. Pure.

- KEDA polls the metric. Above the activation threshold it starts the first replica; once no value has been above it for
  the cooldown period, it stops the last one (https://keda.sh/docs/latest/reference/scaledobject-spec/).
- Between one and the most replicas, the autoscaler computes `ceil(value / target)` of a metric of type `AverageValue`.
  It changes nothing while that is within a tenth of what there is. Before it stops a replica, it takes the largest
  number that it has computed within the stabilisation window
  (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

TOLERANCE = 0.1
FACTOR_UP = 2.0  # the default policy: within a period at most twice as many, or four more
PODS_UP = 4


@dataclass(frozen=True)
class Rule:
    """What a `ScaledObject` says. `target`: of the metric for one replica. Times in seconds."""

    target: float
    most: int
    activation: float = 0.0
    cooldown_s: float = 300.0
    stabilisation_s: float = 300.0
    up_period_s: float = 15.0


@dataclass
class Autoscaler:
    """Decides how many replicas there should be, one call after the other."""

    rule: Rule
    _active_at_s: float | None = None
    _computed: deque[tuple[float, int]] = field(default_factory=deque)  # within the stabilisation window
    _seen: deque[tuple[float, int]] = field(default_factory=deque)  # replicas within the period of growth

    def desired(self, now_s: float, values: Sequence[float], replicas: int) -> int:
        """The number of replicas to have.

        Args:
            values: of each trigger, of which the one that asks for most counts.
            replicas: that there are now.
        """
        if max(values) > self.rule.activation:
            self._active_at_s = now_s
        elif self._active_at_s is None or now_s - self._active_at_s >= self.rule.cooldown_s:
            self._computed.clear()
            self._seen.clear()
            return 0
        if replicas == 0:
            return 1
        computed = max(self._of(value, replicas) for value in values)
        if not self._computed:  # as the autoscaler begins: what there is counts as computed
            self._computed.append((now_s, replicas))
        self._computed.append((now_s, computed))
        _forget(self._computed, now_s - self.rule.stabilisation_s)
        self._seen.append((now_s, replicas))
        _forget(self._seen, now_s - self.rule.up_period_s)
        before = min(count for _, count in self._seen)
        bound = min(self.rule.most, max(math.ceil(before * FACTOR_UP), before + PODS_UP))
        if computed < replicas:
            computed = min(replicas, max(one for _, one in self._computed))
        return max(1, min(bound, computed))

    def _of(self, value: float, replicas: int) -> int:
        if abs(1 - value / (self.rule.target * replicas)) <= TOLERANCE:
            return replicas
        return math.ceil(value / self.rule.target)


def _forget(entries: deque[tuple[float, int]], before_s: float) -> None:
    while entries and entries[0][0] < before_s:
        entries.popleft()
