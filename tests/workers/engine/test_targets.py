"""Targets as indices and positions, and the outputs at them."""

from typing import Any

import pytest
import torch

from workers.engine.targets import at_targets, finite_at, target_indices


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (2, [2, 2, 2]),
        ([2], [2, 2, 2]),
        ([2, 0, 1], [2, 0, 1]),
        (torch.tensor(1), [1, 1, 1]),
        ((1, 4), [[1, 4]] * 3),
        ([(1, 4), (0, 2), (1, 1)], [[1, 4], [0, 2], [1, 1]]),
    ],
)
def test_every_form_of_a_target_is_one_per_row(target: Any, expected: list[Any]) -> None:
    indices = target_indices(target, 3)
    assert indices is not None
    assert indices.dtype == torch.int64
    assert indices.tolist() == expected


def test_no_target_stays_none() -> None:
    assert target_indices(None, 3) is None


def test_outputs_at_indices_and_positions() -> None:
    outputs = torch.arange(24.0).reshape(2, 3, 4)
    assert at_targets(outputs[..., 0], torch.tensor([2, 0])).tolist() == [8.0, 12.0]
    assert at_targets(outputs, torch.tensor([[2, 1], [0, 3]])).tolist() == [9.0, 15.0]


def test_only_explained_outputs_must_be_finite() -> None:
    outputs = torch.tensor([[0.0, torch.inf, 1.0], [0.0, 1.0, torch.nan]])
    assert finite_at(outputs, [0])
    assert not finite_at(outputs, [0, 1])
    assert not finite_at(outputs, [2, 0])
    maps = outputs.unsqueeze(1)  # (rows, 1, 3)
    assert finite_at(maps, [[0, 0]])
    assert not finite_at(maps, [[0, 0], [0, 2]])
    assert not finite_at(torch.tensor([1.0, torch.nan]), [0])
