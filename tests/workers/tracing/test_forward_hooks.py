"""Hooks during one forward."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from workers.tracing.forward_hooks import removed_afterwards, run_with_outputs


def test_hooks_are_removed_after_an_error() -> None:
    layer = nn.Linear(2, 2)

    def fail(handles: Iterator[RemovableHandle]) -> None:
        with removed_afterwards(handles):
            assert len(layer._forward_hooks) == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail(layer.register_forward_hook(print) for _ in range(2))
    assert not layer._forward_hooks


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_outputs_arrive_in_the_order_in_which_submodules_finish() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.ReLU()

        def forward(self, x: Tensor) -> tuple[Tensor, str]:
            return self.inner(self.inner(x)), "text"

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.block = nn.Flatten(), Block()
            self.scripted = torch.jit.script(nn.Tanh())

        def forward(self, x: Tensor) -> Tensor:
            return self.scripted(self.last(self.block(x)[0]))

    seen: list[tuple[str, object]] = []
    run_with_outputs(Model(), (torch.ones(1, 2),), lambda path, output: seen.append((path, output)))
    assert [path for path, _ in seen] == ["block.inner", "block.inner", "block", "last"]
    assert seen[2][1][1] == "text"  # type: ignore[index]
