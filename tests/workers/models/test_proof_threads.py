"""Proofs of depthwise convolutions run on one thread: float64 computes them group by group."""

import pytest
import torch
from torch import nn

from workers.engine.device.threads import threads_within
from workers.models.proof_threads import proof_threads


@pytest.mark.parametrize(
    ("module", "threads"),
    [
        (nn.Sequential(nn.Conv2d(3, 64, 1), nn.Conv2d(64, 64, 3, groups=64)), 1),
        (nn.Conv1d(32, 32, 3, groups=32), 1),
        (nn.ConvTranspose2d(32, 32, 3, groups=32), 1),
        (nn.Sequential(nn.Conv2d(3, 64, 1), nn.Conv2d(64, 64, 3, groups=16)), 2),
        (nn.Linear(64, 64), 2),
    ],
    ids=["depthwise", "of sequences", "transposed", "few groups", "no convolution"],
)
def test_only_convolutions_of_many_groups_take_one_thread(module: nn.Module, threads: int) -> None:
    with threads_within(2):
        assert proof_threads(module) == threads


def test_the_threads_of_the_caller_come_back() -> None:
    before = torch.get_num_threads()
    with threads_within(2):
        with pytest.raises(AttributeError, match="unknown"), threads_within(1):
            nn.Module().get_submodule("unknown" if torch.get_num_threads() == 1 else "other")
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before
