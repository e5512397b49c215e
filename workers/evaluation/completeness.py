"""Completeness: the sum of attributions, and the difference of outputs that it should equal."""

from schemas.metric_requests import Completeness
from schemas.metrics import CompletenessMetric
from workers.evaluation.evaluation_run import EvaluationRun
from workers.methods.endpoints import additional_forward_args_of, references, with_completeness
from workers.methods.explained_output import explained_outputs
from workers.methods.outcome import Outcome


def completeness(request: Completeness | None, run: EvaluationRun) -> list[CompletenessMetric] | None:
    """The metric of each example.

    None where the explanation did not compare its sum, unless the metric is requested and the method has a baseline:
    then the output for the baseline is computed here.

    Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
    """
    outcome = run.outcome
    if request is not None and outcome.delta is None:
        baselines = references(run.method, run.subject)
        if baselines is not None:
            outputs = run.seams.forward(*baselines, *additional_forward_args_of(run.subject, baselines))
            outcome = with_completeness(outputs, outcome, run.method, run.subject)
    return completeness_of(outcome)


def completeness_of(outcome: Outcome) -> list[CompletenessMetric] | None:
    """The metric of each example; None where the outcome holds no difference of outputs."""
    if outcome.delta is None or outcome.difference is None:
        return None
    at_input = explained_outputs(outcome.outputs, outcome.targets)
    return [
        CompletenessMetric(
            attributions_sum=error + difference,
            outputs_difference=difference,
            error=error,
            relative_error=abs(error / difference) if difference else None,
            output=output,
        )
        for error, difference, output in zip(
            outcome.delta.tolist(),
            outcome.difference.tolist(),
            at_input.tolist(),
            strict=True,
        )
    ]
