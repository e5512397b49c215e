"""A snapshot restores hooks and attributes, and leaves those of the model's author alone."""

import pytest
import torch
from torch import nn

from workers.engine.solo.hooks import HookSnapshot, takes_hooks


def test_everything_is_as_before() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    seen: list[int] = []
    model[1].register_forward_hook(lambda *_: seen.append(1))
    model[0].__dict__["rule"] = "the author's"
    before = [OrderedHooks(module) for module in model.modules()]
    snapshot = HookSnapshot(model, model[0])
    for module in model.modules():
        module.register_forward_hook(lambda *_: seen.append(2))
        module.register_forward_pre_hook(lambda *_: seen.append(3))
        module.register_full_backward_hook(lambda *_: None)
        module.__dict__["input"] = torch.zeros(1)
    model[0].__dict__["rule"] = "Captum's"
    snapshot.restore()
    assert [OrderedHooks(module) for module in model.modules()] == before
    model(torch.zeros(1, 2))
    assert seen == [1]
    assert model[0].__dict__["rule"] == "the author's"
    assert "input" not in model[1].__dict__


class OrderedHooks(tuple[tuple[int, ...], ...]):
    """The numbers of all hooks of a module."""

    __slots__ = ()

    def __new__(cls, module: nn.Module) -> "OrderedHooks":
        tables = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        return super().__new__(cls, (tuple(table) for table in tables))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_takes_none() -> None:
    assert takes_hooks(nn.ReLU())
    assert not takes_hooks(torch.jit.trace(nn.ReLU(), torch.zeros(1)))
