"""Warnings about attributions: a sum that differs from what the method promises, and attributions of zero."""

import torch
from torch import Tensor

from schemas.methods import AnyMethod, IntegratedGradients
from schemas.methods.families import PathMethod
from schemas.results import Convergence
from schemas.sentences import Sentence, words
from workers.evaluation.tuning import COMPLETENESS_TOLERANCE, LARGEST_SHOWN_SHARE, ROUNDING_STEPS
from workers.methods.outcome import Outcome

SMALLEST_DIFFERENCE = 1e-12  # by which an error is divided


def completeness_warnings(method: AnyMethod, outcome: Outcome) -> list[str]:
    """One line if the sum of an example's attributions misses the difference of outputs by more than the tolerance.

    Source: the completeness axiom of Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
    """
    if outcome.convergence is not None:
        return _convergence_warnings(method, outcome.convergence)
    if outcome.delta is None or outcome.difference is None:
        return []
    errors, differences = (list(map(abs, values.tolist())) for values in (outcome.delta, outcome.difference))
    sizes = outcome.outputs.reshape(len(differences), -1).abs().nan_to_num(posinf=0.0).amax(dim=1).tolist()
    rounding = ROUNDING_STEPS * torch.finfo(outcome.difference.dtype).eps
    if any(difference <= rounding * size for difference, size in zip(differences, sizes, strict=True)):
        return [
            "the outputs for input and baseline are equal, so there is no difference to attribute; "
            "choose a baseline whose output differs"
        ]
    worst = max(
        error / max(difference, SMALLEST_DIFFERENCE) for error, difference in zip(errors, differences, strict=True)
    )
    if not worst > COMPLETENESS_TOLERANCE:
        return []
    advice = _advice(method)
    if worst >= LARGEST_SHOWN_SHARE:
        return [
            Sentence(
                "the attributions miss the difference between the outputs for input and baseline by many times its "
                "size; {advice}",
                advice=advice,
            )
        ]
    return [
        Sentence(
            "the attributions miss {share} of the difference between the outputs for input and baseline; {advice}",
            share=f"{worst:.0%}",
            advice=advice,
        )
    ]


def zero_warnings(attributions: tuple[Tensor, ...]) -> list[str]:
    """One line if every attribution is exactly zero."""
    if any(bool(tensor.any()) for tensor in attributions):
        return []
    return [
        "all attributions are zero: the explained output does not depend on the input here, or a step without a "
        "gradient lies between them"
    ]


def _convergence_warnings(method: AnyMethod, convergence: Convergence) -> list[str]:
    """One line if an adaptive method reached its limit before its tolerance."""
    over = [
        (error, count)
        for error, count in zip(convergence.errors, convergence.counts, strict=True)
        if not error <= convergence.tolerance
    ]
    if not over:
        return []
    error, count = max(over)
    parameters = {"error": error, "count": count, "tolerance": convergence.tolerance}
    if convergence.unit == "steps":
        if method.sums_to_difference or method.kind == "input":
            return [
                Sentence(
                    "the completeness error is {error:.2g} after {count} steps, above the tolerance of {tolerance:g}",
                    **parameters,
                )
            ]
        return [
            Sentence(
                "more steps still change the result by {error:.2g} after {count} steps, above the tolerance of "
                "{tolerance:g}",
                **parameters,
            )
        ]
    return [
        Sentence(
            "the standard error is {error:.2g} after {count} samples, above the tolerance of {tolerance:g}",
            **parameters,
        )
    ]


def _advice(method: AnyMethod) -> Sentence:
    steps = getattr(method, "n_steps", None)
    if isinstance(method, IntegratedGradients | PathMethod):
        return Sentence(
            'try more steps than {steps}, "n_steps": "auto", or a baseline whose output differs more', steps=steps
        )
    if steps is not None:
        return Sentence("try more steps than {steps}, or a baseline whose output differs more", steps=steps)
    if hasattr(method, "n_samples"):
        return Sentence("try more samples than {samples}", samples=method.n_samples)
    return words("the model holds parts that DeepLIFT has no rule for; integrated_gradients has no such limit")
