"""Copies in float64."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.float64_copy import as_float64, in_float64, pair_in_float64
from workers.tracing.shared_copy import shared_copy

SAMPLE = (torch.ones(1, 3), torch.ones(1, 3, dtype=torch.int64))


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("scale", torch.tensor([2.0, 0.5]))

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        return self.layer(x * ids) * self.scale


def test_the_original_keeps_its_precision() -> None:
    model = Both()
    exact = in_float64(model, SAMPLE)
    assert exact is not None
    assert exact(*as_float64(SAMPLE)).dtype == torch.float64
    assert torch.allclose(exact(*as_float64(SAMPLE)).float(), model(*SAMPLE))
    assert model(*SAMPLE).dtype == torch.float32


def test_only_floating_point_tensors_are_converted() -> None:
    assert [tensor.dtype for tensor in as_float64(SAMPLE)] == [torch.float64, torch.int64]


def test_a_pair_goes_on_sharing_weights() -> None:
    model = Both()
    pair = pair_in_float64(model, shared_copy(model), SAMPLE)
    assert pair is not None
    left, right = pair
    assert left is not right
    assert left.layer.weight is right.layer.weight
    assert left.layer.weight is not model.layer.weight


def test_models_that_cast_or_are_too_large_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Casting(Both):
        def forward(self, x: Tensor, ids: Tensor) -> Tensor:
            return super().forward(x.float(), ids)

    assert in_float64(Casting(), SAMPLE) is None
    model = Both()  # 6 + 2 weights and 2 values of a buffer, 80 bytes
    monkeypatch.setattr("workers.tracing.float64_copy.FLOAT64_COPY_BYTES", 79)
    assert in_float64(model, SAMPLE) is None
    monkeypatch.setattr("workers.tracing.float64_copy.FLOAT64_COPY_BYTES", 80)
    assert in_float64(model, SAMPLE) is not None
