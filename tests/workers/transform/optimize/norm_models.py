"""Models with norms, layouts and fused modules, and comparison of their optimized copies."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tests.workers.methods.captum_calls import max_relative_difference
from tests.workers.toys import frozen
from workers.transform.optimize import make_optimized

IMAGE = (3, 8, 8)


class Hinges(nn.Module):
    """ReLU6 as two hinges, with the operation it amounts to, or with another one."""

    def __init__(self, other: nn.Module) -> None:
        super().__init__()
        self.other = [other]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) - F.relu(x - 6.0)

    def fused(self) -> nn.Module:
        return self.other[0]


class Standardised(nn.Conv2d):
    """A convolution whose forward alters its weight, so that a weight scaled beforehand gives something else."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / self.weight.std(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, padding=self.padding)


class SamePadding(nn.Conv2d):
    """A convolution with a forward of its own that pads first, as EfficientNet packages have."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias)


class BatchNormAct(nn.BatchNorm2d):
    """timm's norm with its activation."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop = nn.Identity()
        self.act = nn.Hardswish()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.drop(super().forward(x)))


class Named(nn.Module):
    """A convolution and its norm, called as `how` says."""

    def __init__(self, how: Callable[["Named", Tensor], Tensor], norms: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(norms))
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self, x).flatten(1)


def gated(m: Named, x: Tensor) -> Tensor:
    y = m.conv(x)
    return m.norms[0](y) * torch.sigmoid(y)


def scaled_by_its_largest(m: Named, x: Tensor) -> Tensor:
    y = m.conv(x)
    return m.norms[0](y) * float(y.detach().max())


def head(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4)]


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


def norms_of(model: nn.Module) -> int:
    return sum(isinstance(part, _BatchNorm) for part in model.modules())


def optimized_copy(model: nn.Module, shape: tuple[int, ...] = IMAGE) -> nn.Module:
    """The optimized copy, compared with the original on rows that it was not made with."""
    generator = torch.Generator().manual_seed(3)
    model = frozen(model)
    before = copy.deepcopy(model.state_dict())
    rows = torch.randn(5, *shape, generator=generator, dtype=torch.float64)
    optimized = make_optimized(model, [(rows[:1],)], 1)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    given, expected = (gradient_of(part, rows) for part in (optimized, model))
    assert max_relative_difference(given, expected) <= 1e-9
    return optimized


def gradient_of(model: nn.Module, rows: Tensor) -> tuple[Tensor, ...]:
    """Input gradient and outputs."""
    leaf = rows.clone().requires_grad_()
    out = model(leaf)
    return torch.autograd.grad(out.square().sum(), leaf)[0], out.detach()
