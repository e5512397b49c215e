"""The model rows that quality metrics add for one example. Pure."""

from collections.abc import Sequence
from math import prod

from schemas.fields import FeatureMethod
from schemas.metric_requests import AnyQuality, Completeness, DeletionInsertion, Infidelity, Randomization
from schemas.traits import DISTRIBUTED, DRAWS, promises_completeness
from service.cost import counts
from service.cost.by_method import Asked

FROM_THE_BASELINE = frozenset({"shapley_value_sampling", "shapley_values"})  # each order of features starts there


def quality_rows(
    quality: Sequence[AnyQuality], asked: Asked, method_rows: int, explanation_rows: int
) -> dict[str, int]:
    """Rows by metric. `method_rows` are the method's own, `explanation_rows` those with prediction and ends."""
    return {metric.name: _rows(metric, asked, method_rows, explanation_rows) for metric in quality}


def _rows(metric: AnyQuality, asked: Asked, method_rows: int, explanation_rows: int) -> int:
    method = asked.method
    if isinstance(metric, Completeness):
        if promises_completeness(method):
            return 0  # computed anyway
        return counts.baselines(method, asked.model, asked.given, asked.arrays) if method.name in DISTRIBUTED else 1
    if isinstance(metric, DeletionInsertion):
        return 2 * min(metric.n_steps, _features(asked))
    if isinstance(metric, Randomization):
        return metric.stages * explanation_rows
    if isinstance(metric, Infidelity):
        return metric.n_perturb_samples
    itself = 1 if method.name in DRAWS else 0  # explained once more, with other noise
    ends = 1 if method.name in FROM_THE_BASELINE else 0
    return (metric.n_perturb_samples + itself) * (method_rows + ends)


def _features(asked: Asked) -> int:
    """What deletion and insertion take away one after the other; an upper bound for texts."""
    method, card = asked.method, asked.model.input
    if isinstance(method, FeatureMethod):
        return counts.features(method, asked.model, asked.given, asked.arrays)
    if card.kind == "text":
        return counts.tokens(asked.model, asked.given)
    return prod(card.shapes[0][-2:]) if card.kind == "image" else sum(map(prod, card.shapes))
