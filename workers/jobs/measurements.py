"""What this worker has measured since it last told the job store: counters and histograms by series."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from schemas.model_key import ModelKey
from schemas.telemetry.definitions import Definition, bound_text


@dataclass(slots=True)
class Increments:
    """Of one model: amounts by series, and the latest exemplar of each bucket."""

    counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    exemplars: dict[str, str] = field(default_factory=dict)

    def count(self, metric: Definition, *labels: str, amount: float = 1) -> None:
        """Adds to a counter. `labels` are the values of those besides `model`."""
        if amount:
            self.counts[metric.series(*labels)] += amount

    def observe(self, metric: Definition, *labels: str, value: float, trace_id: str = "") -> None:
        """Adds a value to a histogram; its bucket then shows the trace as an exemplar. A value that is no finite number
        is left out: the sum would be none for ever."""
        if not math.isfinite(value):
            return
        series = metric.series(*labels)
        bucket = f"{series} {metric.bucket(value)}"
        self.counts[bucket] += 1
        self.counts[f"{series} sum"] += value
        if trace_id:
            self.exemplars[f"{bucket} exemplar"] = f"{trace_id} {bound_text(value)} {time.time():.3f}"


class Measurements:
    """Collects what jobs measure. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: defaultdict[ModelKey, Increments] = defaultdict(Increments)

    @contextmanager
    def of(self, model: ModelKey) -> Iterator[Increments]:
        """What is measured of a model, for the body alone: other threads wait."""
        with self._lock:
            yield self._models[model]

    def take(self) -> dict[ModelKey, Increments]:
        """What was measured since the last call."""
        with self._lock:
            taken, self._models = self._models, defaultdict(Increments)
        return taken

    def put_back(self, model: ModelKey, increments: Increments) -> None:
        """Adds what could not be told to what will be taken next."""
        with self._lock:
            present = self._models[model]
            for series, amount in increments.counts.items():
                present.counts[series] += amount
            present.exemplars = increments.exemplars | present.exemplars
