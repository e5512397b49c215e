"""Completeness: what attributions add up to, and what they should add up to."""

from schemas.methods import AnyMethod
from schemas.metrics import CompletenessFigure
from workers.engine.seams import Seams
from workers.methods.explain import Outcome, extras_of, held_against, references
from workers.methods.explain_inputs import Problem


def completeness(
    seams: Seams, method: AnyMethod, problem: Problem, outcome: Outcome, *, asked: bool
) -> list[CompletenessFigure] | None:
    """The figure of each example, where the method promises it or, for one that takes a baseline, it is asked for.

    Source: Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
    """
    if outcome.delta is None and asked and (absent := references(method, problem)) is not None:
        outcome = held_against(seams.forward(*absent, *extras_of(problem, absent)), outcome, method, problem)
    return told(outcome)


def told(outcome: Outcome) -> list[CompletenessFigure] | None:
    """The figure of each example, where the outcome has been held against its references."""
    if outcome.delta is None or outcome.difference is None:
        return None
    return [
        CompletenessFigure(
            attributions_sum=error + difference,
            outputs_difference=difference,
            error=error,
            relative_error=abs(error / difference) if difference else None,
        )
        for error, difference in zip(outcome.delta.double().tolist(), outcome.difference.double().tolist(), strict=True)
    ]
