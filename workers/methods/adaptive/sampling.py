"""Methods that draw samples, until their standard error is small enough: `tolerance`.

Captum's own classes over the same seams, a few samples at a time. The numbers drawn are those of one call for all
samples, so a job that stops after n gives the answer for n; a seed gives the same n whatever else runs.
"""

from collections.abc import Callable
from typing import Any

import torch
from captum._utils.common import _select_targets
from captum.attr import KernelShap, NoiseTunnel, ShapleyValueSampling
from torch import Tensor

from schemas import methods as spec
from schemas.limits import NOISE_ROUND
from schemas.results import Convergence
from workers.engine.seams import Seams
from workers.methods.adaptive.moments import Moments, regression_errors
from workers.methods.adaptive.result import AdaptiveResult
from workers.methods.calls import AdaptiveCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, detached
from workers.methods.shared.gradient import noisy_method
from workers.methods.shared.perturbation import featured

LEAST_ORDERS = 8  # before the spread of the orders of features means anything
COALITIONS_ROUND = 16  # coalitions between two looks at the standard error


def shapley_value_sampling(
    method: spec.ShapleyValueSampling, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> AdaptiveResult:
    """Orders of features one by one; the largest standard error of any feature counts."""
    if subject.baselines is not None:  # every order starts there
        seams.remember(subject.baselines, seams.forward(*subject.baselines, *subject.additional_forward_args))
    sampler, options = ShapleyValueSampling(seams.forward), featured(subject, batch_rows)

    def order(_: int) -> list[Tensors]:
        return [detached(sampler.attribute(subject.inputs, n_samples=1, **options))]

    return _until(method.tolerance, method.n_samples, LEAST_ORDERS, subject, order, Moments.largest_error)


def smooth_grad(method: spec.SmoothGrad, seams: Seams, subject: ExplainInputs, batch_rows: int) -> AdaptiveResult:
    """Noisy copies, `NOISE_ROUND` at a time, as NoiseTunnel with that `nt_samples_batch_size` draws them; the root mean
    square of the elements' standard errors counts."""

    def noisy(count: int) -> list[Tensors]:
        inner, options = noisy_method(method, seams, subject, batch_rows, count)
        tunnel = NoiseTunnel(inner)
        inputs = tunnel._add_noise_to_inputs(count, subject.inputs, method.stdevs)
        tunnel._expand_partial(count, options, subject.inputs, draw_baseline_from_distrib=False)
        found = detached(inner.attribute(inputs, **options))  # example by example: count rows each
        apart = [a.reshape(subject.examples, count, *a.shape[1:]) for a in found]
        squared = method.nt_type == "smoothgrad_sq"
        return [tuple(a[:, k] ** 2 if squared else a[:, k] for a in apart) for k in range(count)]

    return _until(method.tolerance, method.nt_samples, NOISE_ROUND, subject, noisy, Moments.mean_error)


def _until(
    tolerance: float | None,
    most: int,
    least: int,
    subject: ExplainInputs,
    draw: Callable[[int], list[Tensors]],
    error: Callable[[Moments], list[float]],
) -> AdaptiveResult:
    """The mean of samples, drawn until the error of every example is within the tolerance."""
    bound = tolerance or 0.0
    moments = Moments()
    while moments.count < most:
        for sample in draw(min(NOISE_ROUND, most - moments.count)):
            moments.add(sample)
        if moments.count >= least and max(error(moments)) <= bound:
            break
    counts = [moments.count] * subject.examples
    return AdaptiveResult(
        moments.mean(), Convergence(unit="samples", tolerance=bound, counts=counts, errors=error(moments))
    )


class _Converged(Exception):  # no error: it ends Captum's loop over samples
    pass


class _Watched:
    """Captum's KernelShap, whose coalitions and outputs are looked at while they come."""

    def __init__(self, forward: Callable[..., Tensor], target: Any, tolerance: float) -> None:
        self._shap = KernelShap(self._watch)
        self._kernel = self._shap.similarity_func
        self._shap.similarity_func = self._see
        self._forward, self._target, self._tolerance = forward, target, tolerance
        self._known: list[Tensor] = []  # answers to replay
        self._coalitions: list[Tensor] = []
        self._answers: list[Tensor] = []
        self.error = float("inf")

    def _see(self, original: Any, perturbed: Any, coalition: Tensor, **options: Any) -> Any:
        self._coalitions.append(coalition)
        return self._kernel(original, perturbed, coalition, **options)

    def _watch(self, *args: Tensor) -> Tensor:
        if self._known:
            return self._known.pop(0)
        answer = self._forward(*args)
        self._answers.append(answer)
        values = torch.cat([_select_targets(a, self._target).reshape(-1) for a in self._answers])
        members = torch.cat(self._coalitions[: len(values)])
        self.error = regression_errors(members.double().cpu().numpy(), values.double().cpu().numpy())
        if self.error <= self._tolerance:
            raise _Converged
        return answer

    def explain(self, inputs: Tensors, n_samples: int, **options: Any) -> tuple[Tensors, int]:
        """Attributions and the samples they took. What stopped is fitted by a second call, which is given the same
        coalitions and the outputs that are known."""
        state = torch.get_rng_state()
        try:
            return detached(self._shap.attribute(inputs, n_samples=n_samples, **options)), n_samples
        except _Converged:
            count = sum(len(answer) for answer in self._answers)
        torch.set_rng_state(state)
        self._known = list(self._answers)
        return detached(self._shap.attribute(inputs, n_samples=count, **options)), count


def kernel_shap(method: spec.KernelShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> AdaptiveResult:
    """Coalitions, until the jackknife's standard error of the regression is small enough (Covert and Lee: Improving
    KernelSHAP, 2021). Each example stops by itself, with the answer that it has alone; the largest standard error of
    any feature counts."""
    bound = method.tolerance or 0.0
    start = torch.get_rng_state()  # else where one example stops would move the draws of the next
    found, counts, errors = [], [], []
    for example in range(subject.examples):
        torch.set_rng_state(start)
        one = subject.only(example)
        options = {**featured(one, batch_rows), "perturbations_per_eval": COALITIONS_ROUND}
        watched = _Watched(seams.forward, options["target"], bound)
        attributions, count = watched.explain(one.inputs, method.n_samples, **options)
        found.append(attributions)
        counts.append(count)
        errors.append(watched.error)
    joined = tuple(torch.cat(parts) for parts in zip(*found, strict=True))
    return AdaptiveResult(joined, Convergence(unit="samples", tolerance=bound, counts=counts, errors=errors))


CALLS: AdaptiveCalls = {
    spec.SmoothGrad: smooth_grad,
    spec.ShapleyValueSampling: shapley_value_sampling,
    spec.KernelShap: kernel_shap,
}
