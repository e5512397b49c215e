"""Draws the deletion and insertion curves of a result, with its other metrics below them."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from schemas.base import Strict
from schemas.errors import InvalidRequest, MetricNotFound
from schemas.limits import MAX_EXAMPLES
from schemas.metrics import DeletionInsertionMetric, QualityReport
from schemas.results import ResultMeta
from schemas.sentences import Sentence
from service.drawing import typeface
from service.drawing.captions import CAPTIONS
from service.drawing.curves import render_curves
from service.languages import Language


class QualityQuery(Strict):
    """The query parameters of `quality.png`."""

    example: Annotated[int, Field(ge=0, lt=MAX_EXAMPLES, description="The example to draw, counted from 0.")] = 0
    size: Annotated[int, Field(ge=64, le=2048, description="Width in pixels.")] = 720
    lang: Language | None = Field(default=None, description="Language of the words. Default: by `Accept-Language`.")


def find_curves(meta: ResultMeta, options: QualityQuery) -> DeletionInsertionMetric:
    """The curves of the result.

    Raises:
        MetricNotFound: the request did not name `deletion_insertion`.
        InvalidRequest: the job has no such example.
    """
    metric = meta.quality.deletion_insertion if meta.quality else None
    if metric is None:
        raise MetricNotFound("the result holds no curves: name deletion_insertion in the request's quality")
    if options.example >= len(metric.examples):
        raise InvalidRequest.at(
            ["query", "example"],
            Sentence("the job has {examples} examples, counted from 0", examples=len(metric.examples)),
        )
    return metric


def draw_quality(meta: ResultMeta, options: QualityQuery, language: Language, *, vector: bool = False) -> bytes:
    """Draw a PNG of one example, or an SVG document. CPU work: run it in a thread.

    Raises:
        MetricNotFound, InvalidRequest: as `find_curves`.
    """
    metric = find_curves(meta, options)
    report = meta.quality or QualityReport()
    target = meta.target[options.example].words() if meta.target else ""
    method = str(meta.method["name"])
    lines = [
        list(_metric_notes(report, options.example, language)),
        list(_randomization_note(report, options.example, language)),
    ]
    return render_curves(
        metric,
        options.example,
        target=target,
        title=f"{target} · {method}" if target else method,
        notes=["  ·  ".join(line) for line in lines if line],
        lang=language,
        size=options.size,
        vector=vector,
    )


def _metric_notes(report: QualityReport, example: int, language: Language) -> Iterator[str]:
    """Completeness, infidelity and sensitivity of the example, as far as the report holds them."""
    words = CAPTIONS[language]
    if report.completeness is not None and (relative := report.completeness[example].relative_error) is not None:
        yield words["completeness"].format(value=f"{typeface.number(100 * relative, language)} %")
    if report.infidelity is not None:
        yield words["infidelity"].format(value=typeface.number(report.infidelity.values[example], language))
    if report.sensitivity_max is not None:
        yield words["sensitivity_max"].format(value=typeface.number(report.sensitivity_max.values[example], language))


def _randomization_note(report: QualityReport, example: int, language: Language) -> Iterator[str]:
    """The rank correlation after the last stage: all layers are random, or, with independent stages, the lowest."""
    if report.randomization is None:
        return
    rank = report.randomization.stages[-1].examples[example].spearman
    if rank is not None:
        yield CAPTIONS[language]["randomization"].format(value=typeface.number(rank, language))
