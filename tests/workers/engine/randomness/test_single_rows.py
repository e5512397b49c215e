"""Models that run alone take one row per forward and draw by the seed of their job."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import InputRejected
from tests.workers.toys import view_of
from workers.engine.randomness.single_rows import one_row_each, seeded
from workers.engine.view import ModelView


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn(x.shape)


@pytest.fixture
def noisy() -> ModelView:
    return replace(view_of(Noisy()), alone_reason="its forward draws random numbers", draws_random=True)


def test_a_shared_pass_of_a_model_that_draws_has_the_seed(noisy: ModelView) -> None:
    results = []
    for seed in (3, 3, 4):
        with seeded(noisy, seed):
            results.append(noisy.module(torch.zeros(1, 4)))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    state = torch.get_rng_state()
    with seeded(replace(noisy, draws_random=False), 3):
        assert torch.equal(torch.get_rng_state(), state)  # nothing is seeded


def test_each_forward_of_the_solo_lane_is_seeded_and_the_methods_numbers_go_on(noisy: ModelView) -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    with one_row_each(noisy, 5):
        first = noisy.module(torch.zeros(1, 4))
        drawn = torch.rand(2)
        second = noisy.module(torch.zeros(1, 4))
    assert torch.equal(first, second)
    assert torch.equal(drawn, expected)
    assert not noisy.module._forward_hooks
    assert not noisy.module._forward_pre_hooks


def test_several_rows_are_refused_on_a_model_that_runs_alone_only(noisy: ModelView) -> None:
    with pytest.raises(InputRejected, match="runs alone: its forward draws"), one_row_each(noisy, 5):
        noisy.module(torch.zeros(2, 4))
    assert not noisy.module._forward_pre_hooks
    with one_row_each(view_of(noisy.module), 5):
        assert noisy.module(torch.zeros(2, 4)).shape == (2, 4)
