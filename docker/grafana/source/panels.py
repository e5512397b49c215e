"""Panels as this project describes them, and as Grafana takes them."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from grafana_foundation_sdk.builders import common, heatmap, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

NO_TRAFFIC = "no traffic"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
METRIC = re.compile(r"\battribution_[a-z_]+\b")
PART = re.compile(r"_(bucket|count|sum)$")
Chart = timeseries.Panel | stat.Panel | heatmap.Panel


class Query(NamedTuple):
    """A query, and the name of its lines; `{{label}}` stands for a label's value."""

    expression: str
    legend: str = ""


class Panel(NamedTuple):
    """One panel.

    Attributes:
        title: what is shown.
        shows: one or two sentences that say what it shows.
        bad: what to do when it looks bad.
        unit: Grafana's name of the unit: `s`, `bytes`, `percentunit`, `reqps`, `short`.
        queries: one per group of lines.
        kind: lines over time, one number, or a distribution over time.
        limit: a value from which on the number is shown in red.
        exemplars: whether the traces of single jobs are marked.
    """

    title: str
    shows: str
    bad: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["lines", "number", "distribution"] = "lines"
    limit: float | None = None
    exemplars: bool = False

    def description(self) -> str:
        """What a reader of the panel needs: what it shows, of which metrics, and what to do."""
        found = sorted({PART.sub("", name) for one in self.queries for name in METRIC.findall(one.expression)})
        return f"{self.shows} Source: {', '.join(found)}. When it is bad: {self.bad}"


def to_grafana(panel: Panel, width: int, height: int) -> Chart:
    """The builder of a panel. Where there is nothing to show it reads "no traffic"."""
    built: Chart
    if panel.kind == "number":
        built = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    elif panel.kind == "distribution":
        built = heatmap.Panel().calculate(False)
    else:
        built = timeseries.Panel().legend(_legend()).tooltip(_tooltip()).fill_opacity(8).span_nulls(False)
    built = built.title(panel.title).description(panel.description()).datasource(PROMETHEUS).unit(panel.unit)
    built = built.span(width).height(height).no_value(NO_TRAFFIC).mappings([_no_number()])
    if panel.limit is not None:
        built = built.thresholds(_red_from(panel.limit))
    for index, query in enumerate(panel.queries):
        built = built.with_target(_dataquery(panel, query, chr(ord("A") + index)))
    return built


def _dataquery(panel: Panel, query: Query, ref_id: str) -> Dataquery:
    target = Dataquery().expr(query.expression).legend_format(query.legend).ref_id(ref_id).datasource(PROMETHEUS)
    if panel.kind == "distribution":
        target = target.format(PromQueryFormat.HEATMAP).legend_format("{{le}}")
    return target.instant() if panel.kind == "number" else target.range().exemplar(panel.exemplars)


def _legend() -> common.VizLegendOptions:
    """A table below the lines, with the latest and the highest value."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
    return legend.show_legend(True).calcs(["lastNotNull", "max"])


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)


def _no_number() -> SpecialValueMap:
    """No value, and the share of nothing, read as no traffic."""
    result = ValueMappingResult(text=NO_TRAFFIC, color="text", index=0)
    return SpecialValueMap(DashboardSpecialValueMapOptions(SpecialValueMatch.NULL_AND_NAN, result))


def _red_from(limit: float) -> dashboards.ThresholdsConfig:
    steps = [Threshold(value=0.0, color="green"), Threshold(value=limit, color="red")]
    return dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
