"""A copy may run beside its original unless hooks or closures tie them together."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.tracing.self_contained import is_self_contained
from workers.tracing.shared_copy import shared_copy


def chain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def with_attribute(value: Any) -> nn.Module:
    model = chain()
    model[1].step = value
    return model


def closure() -> Callable[[Tensor], Tensor]:
    inner = nn.Linear(3, 3)
    return lambda x: inner(x) + 1.0


def with_hook(before: bool) -> nn.Module:
    model, seen = chain(), {}

    def keep(_module: nn.Module, args: Any, *_: Any) -> None:
        seen["last"] = args

    register = model[2].register_forward_pre_hook if before else model[2].register_forward_hook
    register(keep)
    return model


def with_forward() -> nn.Module:
    model = chain()
    vars(model[0])["forward"] = closure()
    return model


@pytest.mark.parametrize(
    "step",
    [F.relu, torch.relu, 3, "name", {"relu": F.relu}, [1, 2]],
    ids=["function", "built-in function", "number", "text", "in a mapping", "list"],
)
def test_functions_without_a_closure_and_values_tie_nothing(step: Any) -> None:
    model = with_attribute(step)
    assert is_self_contained(model)
    assert is_self_contained(shared_copy(model))


@pytest.mark.parametrize(
    "model",
    [
        with_attribute(closure()),
        with_attribute([closure()]),
        with_attribute({"step": closure()}),
        with_hook(before=True),
        with_hook(before=False),
        with_forward(),
    ],
    ids=["closure", "in a list", "in a dict", "pre-hook", "hook", "forward"],
)
def test_closures_and_hooks_tie(model: nn.Module) -> None:
    assert not is_self_contained(model)
    assert not is_self_contained(nn.Sequential(model))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_what_cannot_be_looked_at_is_taken_to_be_tied() -> None:
    assert not is_self_contained(nn.Sequential(torch.jit.script(nn.ReLU())))
