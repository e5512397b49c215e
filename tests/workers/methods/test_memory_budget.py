"""Jobs wait for memory before they are live, and none may ask for more than a job may have."""

import threading

import pytest
import torch

from schemas.errors import InputRejected
from schemas.methods import (
    AnyMethod,
    FeatureAblation,
    GradientShap,
    IntegratedGradients,
    KernelShap,
    Lime,
    Saliency,
    SmoothGrad,
)
from tests.workers.toys import problem_of
from workers.methods.memory_budget import MemoryBudget, expanded_bytes

PICTURE = torch.zeros(1, 3, 224, 224)  # 602,112 bytes


@pytest.mark.parametrize(
    ("method", "rows"),
    [
        (Saliency(), 1),
        (IntegratedGradients(n_steps=2_000), 4 * 32),
        (IntegratedGradients(n_steps="auto"), 222 + 32),  # the gradients kept, and a round
        (GradientShap(n_samples=30), 30),
        (SmoothGrad(), 5),
        (SmoothGrad(nt_samples=1_000, tolerance=0.1), 8),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_is_expanded_at_once(method: AnyMethod, rows: int) -> None:
    assert expanded_bytes(method, problem_of([PICTURE], [0]), 16) == rows * 602_112


def test_what_the_model_answers_is_held_too_where_rows_are_perturbed() -> None:
    """A map per class is larger than the picture; a gradient comes with one score."""
    subject = problem_of([PICTURE], [0])
    assert expanded_bytes(FeatureAblation(), subject, 16, 1_000) == 4 * 32 * (602_112 + 1_000)
    assert expanded_bytes(IntegratedGradients(), subject, 16, 1_000) == 4 * 32 * 602_112


def test_too_much_noise() -> None:
    with pytest.raises(InputRejected, match="fewer samples"):
        expanded_bytes(SmoothGrad(nt_samples=1_000), problem_of([PICTURE], [0]), 16)


@pytest.mark.parametrize("kind", [KernelShap, Lime])
def test_samples_of_a_linear_model(kind: type[KernelShap | Lime]) -> None:
    cells = (torch.arange(224) // 56).expand(1, 3, 224, 224)
    few = problem_of([PICTURE], [0], feature_mask=[cells])
    assert expanded_bytes(kind(n_samples=100), few, 16) == 4 * 32 * 602_112 + 100 * 4 * 16
    with pytest.raises(InputRejected, match="1000 samples of 150528 features"):
        expanded_bytes(kind(n_samples=1_000), problem_of([PICTURE], [0]), 16)


def test_never_more_than_there_is() -> None:
    budget = MemoryBudget(100)
    guard = threading.Lock()
    held, most, ended = 0, 0, 0
    start = threading.Barrier(20)

    def job(count: int) -> None:
        nonlocal held, most, ended
        start.wait()
        with budget.lend(count):
            with guard:
                held += min(count, 100)
                most = max(most, held)
            with guard:
                held -= min(count, 100)
                ended += 1

    jobs = [threading.Thread(target=job, args=(30 + 10 * (k % 9),)) for k in range(20)]
    for thread in jobs:
        thread.start()
    for thread in jobs:
        thread.join(30)
    assert ended == 20
    assert most <= 100


def test_more_than_all_is_lent_alone() -> None:
    budget = MemoryBudget(10)
    lent = threading.Event()

    def other() -> None:
        with budget.lend(1):
            lent.set()

    waiting = threading.Thread(target=other)
    with budget.lend(1_000):
        waiting.start()
        assert not lent.wait(0.1)
    assert lent.wait(30)
    waiting.join()
