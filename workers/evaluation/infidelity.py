"""Infidelity: Captum's, with two kinds of perturbation."""

from collections.abc import Callable
from typing import Any

import torch
from captum.metrics import infidelity as captum_infidelity
from torch import Tensor

from schemas.methods import AnyMethod
from schemas.metric_requests import Infidelity
from schemas.metrics import InfidelityMetric
from workers.engine.seams import Seams
from workers.evaluation.audit import Audit
from workers.methods.explain import Outcome
from workers.methods.explain_inputs import ExplainInputs, Tensors, captum_target
from workers.methods.shares import shares

Perturb = Callable[..., tuple[Tensors, Tensors]]
REMOVED = 0.5  # of the features, on average


def infidelity(
    asked: Infidelity, seams: Seams, method: AnyMethod, subject: ExplainInputs, outcome: Outcome, audit: Audit
) -> InfidelityMetric:
    """The mean of (perturbation . attributions - (f(x) - f(x - perturbation)))^2 for each example, by Captum.

    Attributions that are rates of change are multiplied by what is taken from each element; those that share out a
    difference of outputs, by the part of the way to the baseline that this is. Draws: enter a random stream.

    Source: Yeh et al., "On the (In)fidelity and Sensitivity of Explanations" (2019).
    """
    rates = method.yields_rates
    kind = asked.perturbation or ("noise" if rates else "baseline")
    absent = audit.removed.tensors
    perturb = (
        noise(subject.inputs, absent, asked.stdevs, rates) if kind == "noise" else removal(audit.units, absent, rates)
    )
    values = captum_infidelity(
        seams.forward,
        perturb,
        subject.inputs,
        shares(method, subject, outcome.attributions),
        additional_forward_args=subject.additional_forward_args or None,
        target=captum_target(subject.targets),
        n_perturb_samples=asked.n_perturb_samples,
        normalize=asked.normalize,
    )
    return InfidelityMetric(
        perturbation=kind,
        n_perturb_samples=asked.n_perturb_samples,
        normalize=asked.normalize,
        values=values.double().tolist(),
    )


def noise(inputs: Tensors, absent: Tensors, stdevs: float, rates: bool) -> Perturb:
    """Gaussian noise on every element, `stdevs` times as wide as the example's values scatter (1 where all agree)."""

    def perturb(given: Any) -> tuple[Tensors, Tensors]:
        copies = _tuple(given)
        perturbations, perturbed = [], []
        for copy, own, base in zip(copies, inputs, absent, strict=True):
            samples = copy.shape[0] // own.shape[0]
            spread = own.reshape(own.shape[0], -1).std(dim=1, correction=0)
            spread = torch.where(spread == 0, torch.ones_like(spread), spread).repeat_interleave(samples)
            taken = torch.randn_like(copy) * (stdevs * spread).view(-1, *[1] * (copy.dim() - 1))
            perturbed.append(copy - taken)
            perturbations.append(taken if rates else _of_the_way(taken, copy - base.repeat_interleave(samples, 0)))
        return tuple(perturbations), tuple(perturbed)

    return perturb


def removal(units: Tensors, absent: Tensors, rates: bool) -> Perturb:
    """Each feature is replaced by the baseline or left as it is, as a coin falls."""
    features = max(int(part.max()) for part in units) + 1

    def perturb(given: Any) -> tuple[Tensors, Tensors]:
        copies = _tuple(given)
        rows = copies[0].shape[0]
        gone = torch.rand(rows, features, device=copies[0].device) < REMOVED
        perturbations, perturbed = [], []
        for copy, part, base in zip(copies, units, absent, strict=True):
            samples = rows // base.shape[0]
            numbers = part.expand(base.shape[0], *part.shape[1:]).repeat_interleave(samples, 0).reshape(rows, -1)
            taken = (gone.gather(1, numbers.clamp_min(0)) & (numbers >= 0)).view_as(copy)
            replaced = torch.where(taken, base.repeat_interleave(samples, 0), copy)
            perturbed.append(replaced)
            perturbations.append(copy - replaced if rates else taken.to(copy))
        return tuple(perturbations), tuple(perturbed)

    return perturb


def _of_the_way(taken: Tensor, whole: Tensor) -> Tensor:
    """`taken / whole`, and `taken` itself where there is no way; as Captum's `infidelity_perturb_func_decorator`."""
    return taken / torch.where(whole == 0, torch.ones_like(whole), whole)


def _tuple(given: Any) -> Tensors:
    return given if isinstance(given, tuple) else (given,)
