"""Methods that draw samples, until their standard error is small enough: `tolerance`.

A few samples at a time, over the same seams. The numbers drawn are those of one call for all samples, so a job that
stops after n gives the answer for n; a seed gives the same n whatever else runs.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from captum.attr import KernelShap, NoiseTunnel
from torch import Tensor

from schemas import methods as spec
from schemas.limits import NOISE_ROUND
from schemas.results import Convergence
from workers.engine.seams import Seams
from workers.methods.adaptive.moments import Moments, regression_errors
from workers.methods.adaptive.result import AdaptiveResult
from workers.methods.calls import AdaptiveCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors, detached
from workers.methods.perturbation.coalitions import Coalitions
from workers.methods.perturbation.shapley import coalitions_of, contributions, draw_orders
from workers.methods.perturbation.surrogates import (
    coefficients,
    draw_for_shapley,
    draw_sizes_and_scores,
    features_of,
    members_by_score,
    shapley_weights,
)
from workers.methods.shared.gradient import noisy_method

LEAST_ORDERS = 8  # before the spread of the orders of features means anything
COALITIONS_ROUND = 16  # coalitions, an even number, between two looks at the standard error


def shapley_value_sampling(
    method: spec.ShapleyValueSampling, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> AdaptiveResult:
    """Orders of features; the largest standard error of any feature counts, and is looked at after each order.

    As many orders as fill a pass are computed at once. Those behind the one that settles it do not count.
    """
    coalitions = coalitions_of(seams, subject, batch_rows)
    features = coalitions.features
    together = max(1, batch_rows // (features.count * subject.examples))

    def rounds() -> Iterator[list[Tensors]]:
        left = method.n_samples
        while left:
            count = min(left, LEAST_ORDERS if left == method.n_samples else together)
            left -= count
            for one in contributions(coalitions, draw_orders(features, count)).float():
                yield [(one,)]

    found = _until(method.tolerance, LEAST_ORDERS, subject, rounds(), Moments.largest_error)
    (values,) = found.attributions
    return replace(found, attributions=features.spread(values, subject.inputs[0].device))


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

    starts = range(0, method.nt_samples, NOISE_ROUND)
    rounds = (noisy(min(NOISE_ROUND, method.nt_samples - start)) for start in starts)
    return _until(method.tolerance, NOISE_ROUND, subject, rounds, Moments.mean_error)


def _until(
    tolerance: float | None,
    least: int,
    subject: ExplainInputs,
    rounds: Iterator[list[Tensors]],
    error: Callable[[Moments], list[float]],
) -> AdaptiveResult:
    """The mean of samples, taken round by round until the error of every example is within the tolerance.

    Args:
        least: samples before which the error means nothing.
        rounds: samples between two looks at the error.
    """
    bound = tolerance or 0.0
    moments = Moments()
    for samples in rounds:
        for sample in samples:
            moments.add(sample)
        if moments.count >= least and max(error(moments)) <= bound:
            break
    counts = [moments.count] * subject.examples
    return AdaptiveResult(
        moments.mean(), Convergence(unit="samples", tolerance=bound, counts=counts, errors=error(moments))
    )


def kernel_shap(method: spec.KernelShap, seams: Seams, subject: ExplainInputs, batch_rows: int) -> AdaptiveResult:
    """Coalitions, each followed by its complement, until the jackknife's standard error of the regression is small
    enough. Each example stops by itself, with the answer that it has alone; the largest standard error of any feature
    counts.

    In a pair, whatever a coalition's size and the other effects of even order add to an output cancels out.

    Source: Covert and Lee, "Improving KernelSHAP: Practical Shapley Value Estimation via Linear Regression" (2021).
    """
    bound = method.tolerance or 0.0
    start = torch.get_rng_state()  # else where one example stops would move the draws of the next
    found, counts, errors = [], [], []
    for example in range(subject.examples):
        torch.set_rng_state(start)
        one = subject.only(example)
        coalitions = Coalitions(seams, one, features_of(one), batch_rows)
        coalitions.keep_ends()
        members, outputs, error = _paired(coalitions, method.n_samples, bound)
        linear = KernelShap(seams.forward).interpretable_model
        fitted = coefficients(linear, members, outputs, shapley_weights(members))
        found.append(coalitions.features.spread(fitted.unsqueeze(0), one.inputs[0].device))
        counts.append(len(members))
        errors.append(error)
    joined = tuple(torch.cat(parts) for parts in zip(*found, strict=True))
    return AdaptiveResult(joined, Convergence(unit="samples", tolerance=bound, counts=counts, errors=errors))


def _paired(coalitions: Coalitions, most: int, bound: float) -> tuple[Tensor, Tensor, float]:
    """Coalitions of one example, their outputs, and the standard error that they leave: at most `most` of them."""
    features = coalitions.features.count
    members = draw_for_shapley(min(most, 2), features)  # all features, and none
    outputs = _outputs(coalitions, members)
    error = float("inf")
    while len(members) + 2 <= most and error > bound:
        pairs = (min(COALITIONS_ROUND - len(members) % COALITIONS_ROUND, most - len(members))) // 2
        drawn = members_by_score(*draw_sizes_and_scores(pairs, features))
        new = torch.stack([drawn, ~drawn], dim=1).reshape(2 * pairs, features)
        members, outputs = torch.cat([members, new]), torch.cat([outputs, _outputs(coalitions, new)])
        error = regression_errors(members.double().numpy(), outputs.double().numpy())
    return members, outputs, error


def _outputs(coalitions: Coalitions, members: Tensor) -> Tensor:
    """(samples,) of the only example."""
    return coalitions.of(members, torch.zeros(len(members), dtype=torch.int64))[0]


CALLS: AdaptiveCalls = {
    spec.SmoothGrad: smooth_grad,
    spec.ShapleyValueSampling: shapley_value_sampling,
    spec.KernelShap: kernel_shap,
}
