"""Whether attributions add up as their method promises, and what to do when they do not."""

import torch
from torch import Tensor

from schemas.methods import AnyMethod, IntegratedGradients
from schemas.results import Convergence
from workers.methods.explain import Outcome

TOLERATED = 0.05  # of the difference between the outputs for input and baseline


def completeness_warnings(method: AnyMethod, outcome: Outcome) -> list[str]:
    """One line when an example misses more than is tolerated.

    Source: the completeness axiom of Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (2017).
    """
    if outcome.convergence is not None:
        return _unfinished(outcome.convergence)
    if outcome.delta is None or outcome.difference is None:
        return []
    missed = outcome.delta.abs()
    whole = outcome.difference.abs()
    size = outcome.outputs.reshape(len(whole), -1).abs().nan_to_num(posinf=0.0).amax(dim=1)
    equal = whole <= 4 * torch.finfo(whole.dtype).eps * size  # the difference is no more than rounding
    if bool(equal.any()):
        return [
            "the outputs for input and baseline are equal, so there is no difference to attribute; "
            "choose a baseline whose output differs"
        ]
    if not bool((missed > TOLERATED * whole).any()):
        return []
    worst = float((missed / whole.clamp_min(1e-12)).max())
    share = f"{worst:.0%}" if worst < 10 else "many times"
    return [
        f"the attributions miss {share} of the difference between the outputs for input and baseline; {_advice(method)}"
    ]


def zero_warnings(attributions: tuple[Tensor, ...]) -> list[str]:
    """One line when every attribution is exactly zero."""
    if any(bool(tensor.any()) for tensor in attributions):
        return []
    return [
        "all attributions are zero: the explained output does not depend on the input here, or a step without a "
        "gradient lies between them"
    ]


def _unfinished(convergence: Convergence) -> list[str]:
    """One line when a method that stops by itself came to its limit first."""
    over = [
        (error, count)
        for error, count in zip(convergence.errors, convergence.counts, strict=True)
        if not error <= convergence.tolerance
    ]
    if not over:
        return []
    error, count = max(over)
    kind = "completeness error" if convergence.unit == "steps" else "standard error"
    return [
        f"the {kind} is {error:.2g} after {count} {convergence.unit}, above the tolerance of {convergence.tolerance:g}"
    ]


def _advice(method: AnyMethod) -> str:
    steps = getattr(method, "n_steps", None)
    if steps is not None:
        auto = ', "n_steps": "auto"' if isinstance(method, IntegratedGradients) else ""
        return f"try more steps than {steps}{auto}, or a baseline whose output differs more"
    if hasattr(method, "n_samples"):
        return f"try more samples than {method.n_samples}"
    return "the model holds parts that DeepLIFT has no rule for; integrated_gradients has no such limit"
