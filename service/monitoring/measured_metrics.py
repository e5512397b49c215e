"""The counters and histograms that workers and scripts keep in the job store, as Prometheus reads them.

A worker of another version may have written them: what this one does not know is left out.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from typing import get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar

from schemas.errors import JobCancelled, JobError
from schemas.model_key import ModelKey
from schemas.requests import Priority
from schemas.telemetry import names
from schemas.telemetry.definitions import Definition, bound_text

Labels = tuple[str, ...]
MEASURED = {
    one.name: one
    for one in names.ALL.values()
    if one.home == "store" and (one.kind == "histogram" or one.name.endswith("_total"))
}
_FAILURES: list[type[JobError]] = [error for error in JobError.__subclasses__() if error is not JobCancelled]
_ENDS = [("succeeded", "-"), ("cancelled", "-"), *(("failed", error.code) for error in _FAILURES)]
# Series that are reported as 0 before their first event: Prometheus sees no increase from nothing to 1.
ZEROS: dict[str, list[Labels]] = {
    names.JOBS_ENDED.name: [(priority, *end) for priority, end in product(get_args(Priority), _ENDS)],
    names.JOBS_REPEATED.name: [("lost",), ("stalled",), ("released",)],
}


class _Histogram:
    """One series of a histogram: its counts by bound, its sum, and its exemplars by bound."""

    def __init__(self) -> None:
        self.counts: defaultdict[float, float] = defaultdict(float)
        self.sum = 0.0
        self.exemplars: dict[float, Exemplar] = {}

    def buckets(self, bounds: tuple[float, ...]) -> list[tuple[str, float, Exemplar | None]]:
        """Cumulative counts. A bound of another version counts in the next larger one of this version."""
        rows, counted, lower = [], 0.0, -math.inf
        for bound in (*bounds, math.inf):
            counted += sum(count for at, count in self.counts.items() if lower < at <= bound)
            text = "+Inf" if bound == math.inf else bound_text(bound)
            rows.append((text, counted, self.exemplars.get(bound)))
            lower = bound
        return rows


def measured_families(measured: Mapping[ModelKey, Mapping[str, str]]) -> Iterator[Metric]:
    """The families of all models that have had a job, in the order of their definitions."""
    counters: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    histograms: defaultdict[str, defaultdict[Labels, _Histogram]] = defaultdict(lambda: defaultdict(_Histogram))
    for model, series in measured.items():
        for name, zeros in ZEROS.items():
            counters[name] |= {(str(model), *labels): 0.0 for labels in zeros}
        for text, value in series.items():
            name, *rest = text.split(" ")
            definition = MEASURED.get(name)
            if definition is None:
                continue
            own = len(definition.labels) - 1
            labels, part = (str(model), *rest[:own]), rest[own:]
            if len(labels) != len(definition.labels):
                continue
            if definition.kind == "histogram":
                _add(histograms[name][labels], part, value)
            elif not part and (number := _number(value)) is not None:
                counters[name][labels] = number
    for name, definition in MEASURED.items():
        if definition.kind == "counter":
            yield _counter_family(definition, counters[name])
        else:
            yield _histogram_family(definition, histograms[name])


def _add(histogram: _Histogram, part: list[str], value: str) -> None:
    """Adds one field of the store: `0.5`, `sum` or `0.5 exemplar`."""
    if part == ["sum"]:
        histogram.sum = _number(value) or 0.0
        return
    bound = _number(part[0], finite=False) if part else None
    if bound is None or math.isnan(bound):
        return
    if part[1:] == ["exemplar"]:
        trace_id, _, rest = value.partition(" ")
        shown, _, at = rest.partition(" ")
        number, seconds = _number(shown), _number(at)
        if number is not None and seconds is not None and trace_id.isalnum():
            histogram.exemplars[bound] = Exemplar({"trace_id": trace_id}, number, seconds)
    elif len(part) == 1:
        histogram.counts[bound] += _number(value) or 0.0


def _counter_family(definition: Definition, samples: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(definition.name, definition.help, labels=definition.labels)
    for labels, value in sorted(samples.items()):
        family.add_metric(labels, value)
    return family


def _histogram_family(definition: Definition, samples: Mapping[Labels, _Histogram]) -> Metric:
    family = HistogramMetricFamily(definition.name, definition.help, labels=definition.labels)
    for labels, histogram in sorted(samples.items()):
        family.add_metric(labels, histogram.buckets(definition.buckets), histogram.sum)  # type: ignore[arg-type]
    return family


def _number(text: str, *, finite: bool = True) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) or not finite else None
