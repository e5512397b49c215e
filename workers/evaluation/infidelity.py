"""Infidelity, computed by Captum, with two kinds of perturbation."""

from collections.abc import Callable
from typing import Any

import torch
from captum.metrics import infidelity as captum_infidelity
from torch import Tensor

from schemas.metric_requests import Infidelity
from schemas.metrics import InfidelityMetric
from workers.evaluation.evaluation_run import EvaluationRun
from workers.evaluation.tuning import REMOVED_SHARE
from workers.methods.explain_inputs import Tensors, captum_target
from workers.methods.shares import shares

Perturb = Callable[..., tuple[Tensors, Tensors]]  # inputs -> (perturbations, perturbed inputs), as Captum requires


def infidelity(request: Infidelity, run: EvaluationRun) -> InfidelityMetric:
    """The mean of (perturbation . attributions - (f(x) - f(x - perturbation)))^2 for each example.

    Attributions that are rates of change are multiplied by the amount taken from each element. Attributions that
    distribute a difference of outputs are multiplied by that amount's share of the way to the baseline. Requires an
    entered random stream.

    Source: Yeh et al., "On the (In)fidelity and Sensitivity of Explanations" (2019).
    """
    subject = run.subject
    rates = run.method.yields_rates
    kind = request.perturbation or ("noise" if rates else "baseline")
    baseline = run.inputs.deletion_baseline.tensors
    perturb = (
        noise(subject.inputs, baseline, request.stdevs, rates)
        if kind == "noise"
        else removal(run.inputs.features, baseline, rates)
    )
    values = captum_infidelity(
        run.seams.forward,
        perturb,
        subject.inputs,
        shares(run.method, subject, run.outcome.attributions),
        additional_forward_args=subject.additional_forward_args or None,
        target=captum_target(subject.targets),
        n_perturb_samples=request.n_perturb_samples,
        normalize=request.normalize,
    )
    return InfidelityMetric(
        perturbation=kind,
        n_perturb_samples=request.n_perturb_samples,
        normalize=request.normalize,
        values=values.double().tolist(),
    )


def noise(inputs: Tensors, baseline: Tensors, stdevs: float, rates: bool) -> Perturb:
    """Gaussian noise on every element.

    Its standard deviation is `stdevs` times that of the example's values, or `stdevs` where all values are equal.
    """

    def perturb(given: Any) -> tuple[Tensors, Tensors]:
        copies = _as_tuple(given)
        perturbations, perturbed = [], []
        for copy, own, base in zip(copies, inputs, baseline, strict=True):
            samples = copy.shape[0] // own.shape[0]
            spread = own.reshape(own.shape[0], -1).std(dim=1, correction=0)
            spread = torch.where(spread == 0, torch.ones_like(spread), spread).repeat_interleave(samples)
            taken = torch.randn_like(copy) * (stdevs * spread).view(-1, *[1] * (copy.dim() - 1))
            perturbed.append(copy - taken)
            perturbations.append(taken if rates else _share(taken, copy - base.repeat_interleave(samples, 0)))
        return tuple(perturbations), tuple(perturbed)

    return perturb


def removal(features: Tensors, baseline: Tensors, rates: bool) -> Perturb:
    """Replaces each feature by the baseline with probability `REMOVED_SHARE`."""
    count = max(int(part.max()) for part in features) + 1

    def perturb(given: Any) -> tuple[Tensors, Tensors]:
        copies = _as_tuple(given)
        rows = copies[0].shape[0]
        removed = torch.rand(rows, count, device=copies[0].device) < REMOVED_SHARE
        perturbations, perturbed = [], []
        for copy, part, base in zip(copies, features, baseline, strict=True):
            samples = rows // base.shape[0]
            numbers = part.expand(base.shape[0], *part.shape[1:]).repeat_interleave(samples, 0).reshape(rows, -1)
            taken = (removed.gather(1, numbers.clamp_min(0)) & (numbers >= 0)).view_as(copy)
            replaced = torch.where(taken, base.repeat_interleave(samples, 0), copy)
            perturbed.append(replaced)
            perturbations.append(copy - replaced if rates else taken.to(copy))
        return tuple(perturbations), tuple(perturbed)

    return perturb


def _share(taken: Tensor, whole: Tensor) -> Tensor:
    """`taken / whole`, and `taken` where `whole` is zero, as in Captum's `infidelity_perturb_func_decorator`."""
    return taken / torch.where(whole == 0, torch.ones_like(whole), whole)


def _as_tuple(given: Any) -> Tensors:
    return given if isinstance(given, tuple) else (given,)
