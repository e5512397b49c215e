"""The model rows that quality metrics add for one example. Pure."""

from schemas.methods.cost import Cost
from schemas.metric_requests import AnyQuality, Completeness, DeletionInsertion, Infidelity, Randomization
from service.cost.sizes import RequestSizes


def metric_cost(metric: AnyQuality, sizes: RequestSizes, method_rows: int, explanation_rows: int) -> Cost:
    """Rows of one metric, named after it.

    Args:
        metric: the metric.
        sizes: the request.
        method_rows: rows of the method itself.
        explanation_rows: rows of the explanation: the method's, the prediction's and those of the baseline's output.
    """
    return Cost.of(_rows(metric, sizes, method_rows, explanation_rows), metric.name)


def _rows(metric: AnyQuality, sizes: RequestSizes, method_rows: int, explanation_rows: int) -> int:
    method = sizes.method
    if isinstance(metric, Completeness):
        if method.promises_completeness:
            return 0  # computed in any case
        return sizes.baselines if method.baselines == "distribution" else 1
    if isinstance(metric, DeletionInsertion):
        return 2 * min(metric.n_steps, sizes.removable)
    if isinstance(metric, Randomization):
        return metric.stages * explanation_rows
    if isinstance(metric, Infidelity):
        return metric.n_perturb_samples
    itself = 1 if method.draws else 0  # the example is explained once more, with other noise
    ends = 1 if method.starts_at_baseline else 0
    return (metric.n_perturb_samples + itself) * (method_rows + ends)
