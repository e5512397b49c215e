"""Every method on the three shipped models in float32 equals a direct Captum call: alone, and 17 jobs at a time."""

from collections.abc import Iterator

import pytest

from schemas.methods import METHOD_NAMES
from tests.workers.captum_calls import max_relative_difference
from tests.workers.shipped import MODELS, NOT_OFFERED, Shipped
from tests.workers.toys import RunningJob

TOLERANCE = 1e-4
ON_TOYS_ALONE = {"shapley_values", "feature_permutation"}  # exponential; needs several examples


@pytest.fixture(scope="module", params=MODELS)
def shipped(request: pytest.FixtureRequest) -> Iterator[Shipped]:
    model = Shipped(request.param)
    yield model
    model.model.engine.stop()


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_alone(shipped: Shipped, name: str) -> None:
    method = shipped.methods.get(name)
    if method is None:
        assert name in ON_TOYS_ALONE | NOT_OFFERED[shipped.model.card.name]
        return
    outcome = RunningJob(shipped.model.engine, method, shipped.problem(method), seed=7).result()
    assert max_relative_difference(outcome.attributions, shipped.captum(method, 7)) <= TOLERANCE


def test_what_is_not_offered_has_a_reason(shipped: Shipped) -> None:
    refused = {one.name: one.reason for one in shipped.model.card.methods if not one.supported}
    assert set(refused) == NOT_OFFERED[shipped.model.card.name]
    assert all(refused.values())


@pytest.mark.parametrize("half", [0, 1])
def test_seventeen_of_mixed_methods_at_once(shipped: Shipped, half: int) -> None:
    """Each of the 17 runs beside 16 others on the same model."""
    methods = list(shipped.methods.values())
    chosen = (methods + methods)[17 * half : 17 * half + 17]
    problems = [shipped.problem(method) for method in chosen]
    shipped.model.engine.hold()
    jobs = [RunningJob(shipped.model.engine, m, p, seed=7) for m, p in zip(chosen, problems, strict=True)]
    shipped.model.engine.release()
    outcomes = [job.result(timeout_s=300) for job in jobs]
    for method, outcome in zip(chosen, outcomes, strict=True):
        assert max_relative_difference(outcome.attributions, shipped.captum(method, 7)) <= TOLERANCE, method.name
