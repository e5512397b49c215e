"""What models take of a device's memory, and which errors say that it is short."""

import pytest
import torch
from torch import nn

from workers.engine.device.memory import is_out_of_memory, release_cached, resident_bytes


def test_shared_storages_count_once() -> None:
    model = nn.Linear(10, 10, bias=False)  # 400 bytes
    tied = nn.Linear(10, 10, bias=False)
    tied.weight = model.weight
    assert resident_bytes([model, tied, model]) == 400
    model.register_buffer("seen", torch.zeros(5))
    model.kept = torch.zeros(3)
    assert resident_bytes([model], model.weight[:2], torch.zeros(2)) == 400 + 20 + 12 + 8


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_errors_of_a_lack_of_memory(error: Exception, short: bool) -> None:
    assert is_out_of_memory(error) == short


def test_releasing_is_harmless() -> None:
    release_cached(torch.device("cpu"))
