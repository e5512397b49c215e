"""Fused modules replace their parts where they are equal."""

import pytest
import torch
from torch import Tensor, nn

from tests.workers.transform.optimize.norm_models import Hinges, chain, head, norms_of, optimized_copy
from workers.transform.optimize.fused import use_fused_modules


def test_a_fused_module_is_used() -> None:
    model = chain(nn.Conv2d(3, 4, 3), Hinges(nn.ReLU6()), *head(4))
    optimized = optimized_copy(model)
    assert any(isinstance(part, nn.ReLU6) for part in optimized.modules())
    assert not any(isinstance(part, Hinges) for part in optimized.modules())


def test_a_fused_module_that_is_not_equal_is_not_used_but_other_steps_are() -> None:
    optimized = optimized_copy(
        chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), Hinges(nn.ReLU()), nn.Conv2d(4, 4, 3), *head(4))
    )
    assert any(isinstance(part, Hinges) for part in optimized.modules())
    assert norms_of(optimized) == 0


def test_only_parts_that_run_are_asked_for_a_fused_module() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = Hinges(nn.ReLU6()), Hinges(nn.Tanh())

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    fused = use_fused_modules(Unused().double(), (torch.randn(1, 4, dtype=torch.float64),), 1)
    assert isinstance(fused.used, nn.ReLU6)  # type: ignore[union-attr]
    assert isinstance(fused.unused, Hinges)  # type: ignore[union-attr]
    assert use_fused_modules(nn.ReLU(), (torch.ones(1, 4),), 1) is None


def test_why_a_fused_module_is_refused() -> None:
    sample = (torch.full((1, 64), 0.5, dtype=torch.float64),)  # below the upper bend, which only scaled inputs reach
    with pytest.raises(ValueError, match=r"0: fused\(\) is another function: .*outputs differ"):
        use_fused_modules(nn.Sequential(Hinges(nn.ReLU())), sample, 1)
    with pytest.raises(TypeError, match="returned str"):
        use_fused_modules(nn.Sequential(Hinges("ReLU6")), sample, 1)  # type: ignore[arg-type]


def test_the_whole_model_may_be_fused() -> None:
    sample = (torch.ones(1, 4, dtype=torch.float64),)
    assert isinstance(use_fused_modules(Hinges(nn.ReLU6()), sample, 1), nn.ReLU6)
