"""Random numbers and state in a forward."""

import random
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workers.engine.randomness.stream import RandomStream
from workers.tracing.determinism import draws_random_numbers, keeps_state, seeded_output

ROWS = [(torch.full((1, 3), value),) for value in (1.0, 2.0)]
seeded = partial(RandomStream, device=torch.device("cpu"))


class Function(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator,no-any-return]


@pytest.mark.parametrize(
    ("function", "draws"),
    [
        (lambda x: 2 * x, False),
        (lambda x: x + torch.rand(1), True),
        (lambda x: x + float(np.random.rand()), True),
        (lambda x: x + random.random(), True),
        (lambda x: x + 0 * torch.rand(1), True),  # it advances the generator, which changes later draws
        (lambda x: x * float("nan"), False),
    ],
)
def test_draws(function: object, draws: bool) -> None:
    assert draws_random_numbers(Function(function), ROWS, seeded) == draws


def test_output_under_a_seed_repeats() -> None:
    noisy = Function(lambda x: x + torch.rand(1, 3))
    assert torch.equal(seeded_output(noisy, ROWS[0], seeded), seeded_output(noisy, ROWS[0], seeded))
    assert not keeps_state(noisy, ROWS, seeded, seeded_output(noisy, ROWS[0], seeded))


class Counting(nn.Module):
    """Every `period` calls, the output changes."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period, self.calls = period, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x + self.calls // self.period


def test_state() -> None:
    for period, expected in ((1, True), (3, True), (100, False)):
        module = Counting(period)
        assert keeps_state(module, ROWS, seeded, seeded_output(module, ROWS[0], seeded)) == expected


def test_the_context_is_left() -> None:
    entered: list[int] = []

    class Context(AbstractContextManager[None]):
        def __init__(self, seed: int) -> None:
            entered.append(seed)

        def __exit__(self, *_: object) -> None:
            entered.append(-1)

    seeded_output(nn.Identity(), ROWS[0], Context)
    assert entered == [0, -1]
