"""The picture of a result's quality: its curves, and its other metrics below them."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from schemas.base import Strict
from schemas.errors import InvalidRequest, MetricNotFound
from schemas.limits import MAX_EXAMPLES
from schemas.metrics import DeletionInsertionMetric, QualityReport
from schemas.results import ResultMeta
from service.pictures import typeface
from service.pictures.curves import render_curves
from service.pictures.overlay_options import Language
from service.pictures.captions import CAPTIONS


class QualityQuery(Strict):
    """The query parameters of `quality.png`."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="Which row of the request's own batch.")] = 0
    size: Annotated[int, Field(ge=64, le=2048, description="Width in pixels.")] = 720


def find_curves(meta: ResultMeta, options: QualityQuery) -> DeletionInsertionMetric:
    """The curves to draw.

    Raises:
        FigureNotFound: the job was not asked for `deletion_insertion`.
        InvalidRequest: no such example.
    """
    metric = meta.quality.deletion_insertion if meta.quality else None
    if metric is None:
        raise MetricNotFound("the result holds no curves: ask for deletion_insertion in the request's quality")
    if options.example >= len(metric.examples):
        raise InvalidRequest.at(["query", "example"], f"the job has {len(metric.examples)} examples, counted from 0")
    return metric


def draw_quality(meta: ResultMeta, options: QualityQuery, language: Language) -> bytes:
    """A PNG. CPU work: run in a thread.

    Raises:
        As `find_curves`.
    """
    metric = find_curves(meta, options)
    report = meta.quality or QualityReport()
    target = meta.target[options.example].words() if meta.target else ""
    method = str(meta.method["name"])
    lines = [list(_numbers(report, options.example, language)), list(_randomised(report, options.example, language))]
    return render_curves(
        metric,
        options.example,
        target=target,
        title=f"{target} · {method}" if target else method,
        notes=["  ·  ".join(line) for line in lines if line],
        lang=language,
        size=options.size,
    )


def _numbers(report: QualityReport, example: int, language: Language) -> Iterator[str]:
    words = CAPTIONS[language]
    if report.completeness is not None and (relative := report.completeness[example].relative_error) is not None:
        yield words["completeness"].format(value=f"{typeface.number(100 * relative)} %")
    if report.infidelity is not None:
        yield words["infidelity"].format(value=typeface.number(report.infidelity.values[example]))
    if report.sensitivity_max is not None:
        yield words["sensitivity_max"].format(value=typeface.number(report.sensitivity_max.values[example]))


def _randomised(report: QualityReport, example: int, language: Language) -> Iterator[str]:
    """After the last stage, when all layers have been randomised or the lowest ones have."""
    if report.randomization is None:
        return
    rank = report.randomization.stages[-1].examples[example].spearman
    if rank is not None:
        yield CAPTIONS[language]["randomization"].format(value=typeface.number(rank))
