"""Methods are tried on a smaller input where that shows what they do, and on the whole input where it does not."""

import torch
from torch import Tensor, nn

from schemas.models import MethodSupport
from tests.workers.toys import frozen, view_of
from workers.inputs.prepared import Prepared
from workers.models.method_support import method_support
from workers.models.probes.gradient_reach import UNKNOWN

SAMPLE = torch.randn(1, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Picture(nn.Module):
    """(rows, 3, H, W) -> (rows, 2). It notes the heights that get gradients, and raises for those below `least`."""

    def __init__(self, least: int = 0) -> None:
        super().__init__()
        self.first, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 2)
        self.least = least
        self.heights: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad:
            self.heights.append(x.shape[2])
            if x.shape[2] < self.least:
                raise ValueError(f"no gradient at height {x.shape[2]}")
        out: Tensor = self.head(self.relu(self.first(x)).mean((2, 3)))
        return out


def prepared(x: Tensor) -> Prepared:
    return Prepared((x,), (), (x,), ())


def support(model: nn.Module, tried: Tensor | None) -> dict[str, MethodSupport]:
    methods = method_support(
        view_of(model),
        prepared(SAMPLE),
        {"lrp": "the mean has no rule"},
        text=False,
        embedding=None,
        reach=UNKNOWN,
        rule_reasons={},
        tried=None if tried is None else prepared(tried),
    )
    return {method.name: method for method in methods}


def test_what_works_on_the_smaller_input_is_not_tried_on_the_whole_one() -> None:
    model = Picture()
    frozen(model)
    found = support(model, SAMPLE[..., :8, :8])
    assert model.heights.count(16) == 1  # whether an nn.ReLU runs
    assert len(model.heights) > 2
    assert found == support(model, None)
    assert found["deep_lift"].supported
    assert found["lrp"].reason == "the mean has no rule"


def test_what_fails_on_the_smaller_input_only_is_supported() -> None:
    model = Picture(least=16)
    frozen(model)
    found = support(model, SAMPLE[..., :8, :8])
    assert found["deep_lift"].supported
    assert found["guided_backprop"].supported


def test_what_fails_on_both_has_the_reason_of_the_whole_input() -> None:
    class Odd(Picture):
        """Raises on several rows, such as the input and its baseline, which DeepLIFT puts into one batch."""

        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 1:
                raise ValueError(f"no pairs at height {x.shape[2]}")
            return super().forward(x)

    model = Odd()
    frozen(model)
    found = support(model, SAMPLE[..., :8, :8])
    assert not found["deep_lift"].supported
    assert "no pairs at height 16" in (found["deep_lift"].reason or "")
    assert found["guided_backprop"].supported
