"""Queries of the dashboards. Several gateways are joined as docs/metrics.md says, by the home of each metric."""

from collections.abc import Sequence

from schemas.telemetry.definitions import Definition

WINDOW = "$__rate_interval"


def rate(metric: Definition, *by: str, where: str = "", part: str = "", function: str = "rate") -> str:
    """The increase a second of a counter, or of a part of a histogram (`_bucket`, `_count`, `_sum`), summed over all
    labels but `by`.

    Args:
        where: more matchers, such as `status="failed"`.
        function: `rate`, or `increase` for the increase within the window.
    """
    series = f"{function}({metric.name}{part}{_matchers(metric, where)}[{WINDOW}])"
    labels = (*metric.labels, "le") if part == "_bucket" else metric.labels
    return _summed(_joined(metric, labels, series), by)


def value(metric: Definition, *by: str, where: str = "") -> str:
    """The value of a gauge now, summed over all labels but `by`."""
    return _summed(_joined(metric, metric.labels, f"{metric.name}{_matchers(metric, where)}"), by)


def quantile(share: float, metric: Definition, *by: str, where: str = "") -> str:
    """The value below which this share of a histogram's observations lies."""
    return f"histogram_quantile({share:g}, {rate(metric, *by, 'le', where=where, part='_bucket')})"


def mean(metric: Definition, *by: str, where: str = "") -> str:
    """The mean of a histogram's observations."""
    return ratio(rate(metric, *by, where=where, part="_sum"), rate(metric, *by, where=where, part="_count"))


def ratio(part: str, whole: str) -> str:
    """One query divided by another; nothing where the other is 0, so that a share of no traffic is no number."""
    return f"{part} / ({whole} > 0)"


def _matchers(metric: Definition, where: str) -> str:
    """The model that the dashboard's variable chooses, and what `where` adds."""
    model = 'model=~"$model"' if "model" in metric.labels else ""
    inside = ", ".join(filter(None, (model, where)))
    return f"{{{inside}}}" if inside else ""


def _joined(metric: Definition, labels: Sequence[str], series: str) -> str:
    if metric.home == "gateway":
        return series
    return f"max by ({', '.join(labels)}) ({series})" if labels else f"max({series})"


def _summed(series: str, by: Sequence[str]) -> str:
    return f"sum by ({', '.join(by)}) ({series})" if by else f"sum({series})"
