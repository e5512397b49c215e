"""Copies that share weights."""

import threading

import pytest
import torch
from torch import nn

from workers.tracing.shared_copy import shared_copy


def test_modules_are_copied_and_tensors_are_shared() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    model.table = torch.ones(2)  # neither parameter nor buffer
    model.options = {"slope": [0.1]}  # type: ignore[assignment]
    copied = shared_copy(model)
    assert copied is not model
    assert copied[0] is not model[0]
    assert copied[0].weight is model[0].weight
    assert copied[1].running_mean is model[1].running_mean
    assert copied.table is model.table
    assert copied.options == model.options
    assert copied.options is not model.options
    copied[0].register_forward_hook(print)
    assert not model[0]._forward_hooks


def test_one_module_under_two_names_stays_one() -> None:
    layer = nn.Linear(2, 2)
    copied = shared_copy(nn.ModuleDict({"a": layer, "b": layer}))
    assert copied["a"] is copied["b"] is not layer


def test_what_cannot_be_copied_raises() -> None:
    model = nn.Linear(2, 2)
    model.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(TypeError):
        shared_copy(model)
