"""Memory of perturbed copies."""

import pytest

from schemas.errors import InputRejected
from schemas.limits import MAX_NOISE_BYTES
from schemas.methods import GradientShap, Saliency
from schemas.metric_requests import Completeness, DeletionInsertion, Infidelity, Randomization, SensitivityMax
from tests.workers.evaluation.evaluated import toy_problem
from workers.evaluation.perturbed_memory import perturbed_bytes

SUBJECT = toy_problem("mlp", 3, seed=0)  # 3 examples of 6 elements in float64
EXAMPLES_BYTES = 3 * 6 * 8


def test_the_largest_set_of_copies_counts() -> None:
    metrics = [Infidelity(n_perturb_samples=10), SensitivityMax(n_perturb_samples=4), Completeness()]
    assert perturbed_bytes(metrics, Saliency(), SUBJECT, 16) == 10 * EXAMPLES_BYTES


def test_other_metrics_hold_no_copies() -> None:
    assert perturbed_bytes([Completeness(), DeletionInsertion(), Randomization()], Saliency(), SUBJECT, 16) == 0
    assert perturbed_bytes([], Saliency(), SUBJECT, 16) == 0


def test_sensitivity_counts_what_the_method_expands() -> None:
    metric = SensitivityMax(n_perturb_samples=4)
    plain = perturbed_bytes([metric], Saliency(), SUBJECT, 16)
    assert perturbed_bytes([metric], GradientShap(n_samples=50), SUBJECT, 16) > 10 * plain


def test_too_many_copies_are_refused() -> None:
    samples = 1000
    large = toy_problem("mlp", 1 + MAX_NOISE_BYTES // (samples * 6 * 8), seed=0)
    with pytest.raises(InputRejected, match="ask for fewer samples"):
        perturbed_bytes([Infidelity(n_perturb_samples=samples)], Saliency(), large, 16)
