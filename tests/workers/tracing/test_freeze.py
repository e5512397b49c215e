"""Models are frozen with everything that they reach."""

import pytest
import torch
from torch import Tensor, nn

from workers.tracing.freeze import freeze

CPU = torch.device("cpu")


class Holder:
    def __init__(self, module: nn.Module) -> None:
        self.modules = {"one": [module]}


def test_modules_outside_the_tree_are_found() -> None:
    listed, in_dict, held, closed, bound = (nn.Dropout() for _ in range(5))

    def call(x: Tensor) -> Tensor:
        return closed(x)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.child = nn.Linear(2, 2)
            self.plain = [listed, {"key": (in_dict,)}]
            self.holder = Holder(held)
            self.call = call
            self.method = bound.forward
            self.itself = [self]

    model = Model()
    freeze(model, CPU)
    assert not any(part.training for part in (model, model.child, listed, in_dict, held, closed, bound))
    assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_scripted_modules_are_put_into_evaluation_mode() -> None:
    model = nn.Sequential(torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.Dropout())))
    freeze(model, CPU)
    assert not any(part.training for part in model.modules())


def test_an_empty_closure_is_no_error() -> None:
    def outer() -> object:
        def inner() -> object:
            return later

        if False:
            later = 1
        return inner

    model = nn.Identity()
    model.call = outer()  # type: ignore[assignment]
    freeze(model, CPU)
    assert not model.training
