"""Examples as the worker prepares them."""

import torch

from workers.inputs.prepared import Described, Prepared


def test_twice_repeats_every_tensor() -> None:
    x, mask, ids = torch.ones(2, 3), torch.zeros(2, 4), torch.arange(2)
    prepared = Prepared((x,), (mask,), (ids,), (mask,), source="text", warnings=["cut"])
    twice = prepared.twice()
    assert [len(tensor) for tensor in (*twice.inputs, *twice.additional_forward_args)] == [4, 4]
    assert twice.layer_inputs[0].tolist() == [0, 1, 0, 1]
    assert len(twice.layer_additional_forward_args[0]) == 4
    assert (twice.source, twice.warnings) == ("text", ["cut"])


def test_nothing_is_described_by_default() -> None:
    described = Described()
    assert (described.tokens, described.words, described.features) == (None, None, None)
