"""Samples and their random neighbours."""

from dataclasses import dataclass

import torch
from torch import Tensor

from workers.tracing.samples import cloned, first_row, is_large, leaves, neighbours, stacked, tensors_in
from workers.tracing.tuning import LARGE_ROW_ELEMENTS, NEIGHBOURS, NEIGHBOURS_IN_PAIRS

X, IDS = torch.randn(1, 50, generator=torch.Generator().manual_seed(1)) * 10, torch.arange(3).view(1, 3)


def test_neighbours_are_the_sample_and_shifts_of_its_own_scale() -> None:
    samples = list(neighbours((X, IDS)))
    assert len(samples) == 1 + NEIGHBOURS + NEIGHBOURS_IN_PAIRS
    assert torch.equal(samples[0][0], X)
    assert [len(x) for x, _ in samples] == [1, 1, 2, 1, 2, 1, 1, 1]
    for x, ids in samples[1:]:
        assert torch.equal(ids, IDS.expand_as(ids))
        shift = x[-1] - X[0]
        assert 0.5 < float(shift.std() / X.std()) < 2
    assert torch.equal(samples[2][0], torch.cat([X, samples[1][0]]))


def test_neighbours_are_the_same_at_every_call() -> None:
    for one, other in zip(neighbours((X, IDS)), neighbours((X, IDS)), strict=True):
        assert all(map(torch.equal, one, other))


def test_a_constant_sample_is_shifted_by_unit_noise() -> None:
    _, (shifted,), *_ = neighbours((torch.zeros(1, 200),))
    assert 0.8 < float(shifted.std()) < 1.2


def test_rows() -> None:
    rows = stacked([(X, IDS), (X + 1, IDS)])
    assert [len(tensor) for tensor in rows] == [2, 2]
    assert all(map(torch.equal, first_row(rows), (X, IDS)))
    assert is_large((torch.zeros(LARGE_ROW_ELEMENTS - 3), IDS))
    assert not is_large((torch.zeros(LARGE_ROW_ELEMENTS - 4), IDS))


def test_leaves_require_gradients_where_they_are_attributed() -> None:
    assert [leaf.requires_grad for leaf in leaves((X, IDS, X), None)] == [True, False, True]
    assert [leaf.requires_grad for leaf in leaves((X, IDS, X), 1)] == [True, False, False]
    (copy,) = cloned(leaves((X,), 1))
    before = X.clone()
    copy.mul_(0)  # allowed, since it is no leaf
    assert torch.equal(X, before)


def test_tensors_are_found_in_containers() -> None:
    @dataclass
    class Output:
        logits: Tensor
        hidden: tuple[Tensor, ...]
        loss: None = None

    nested = {"a": [X, 3, "text"], "b": Output(IDS, (X, X))}
    assert [id(tensor) for tensor in tensors_in(nested)] == [id(X), id(IDS), id(X), id(X)]
    assert list(tensors_in(Output)) == []
