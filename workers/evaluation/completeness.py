"""Completeness: what attributions add up to, and what they should add up to."""

from schemas.methods import AnyMethod
from schemas.metrics import CompletenessMetric
from workers.engine.seams import Seams
from workers.methods.explain import Outcome, additional_forward_args_of, held_against, references
from workers.methods.explain_inputs import ExplainInputs


def completeness(
    seams: Seams, method: AnyMethod, subject: ExplainInputs, outcome: Outcome, *, asked: bool
) -> list[CompletenessMetric] | None:
    """The metric of each example, where the method promises it or, for one that takes a baseline, it is asked for.

    Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
    """
    if outcome.delta is None and asked and (absent := references(method, subject)) is not None:
        outcome = held_against(
            seams.forward(*absent, *additional_forward_args_of(subject, absent)), outcome, method, subject
        )
    return told(outcome)


def told(outcome: Outcome) -> list[CompletenessMetric] | None:
    """The metric of each example, where the outcome has been held against its references."""
    if outcome.delta is None or outcome.difference is None:
        return None
    return [
        CompletenessMetric(
            attributions_sum=error + difference,
            outputs_difference=difference,
            error=error,
            relative_error=abs(error / difference) if difference else None,
        )
        for error, difference in zip(outcome.delta.double().tolist(), outcome.difference.double().tolist(), strict=True)
    ]
