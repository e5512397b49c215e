"""Modules that stand in for others, made of pieces that Captum has rules for."""

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MaxPool = nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


class ClippedReLU(nn.Module):
    """`min(max(x, 0), upper)`.

    The upper bend is `y - max(y - upper, 0)`. Its hinge is a `LeakyReLU` of slope zero, not a second `ReLU`: DeepLIFT
    has a rule for both, but guided backpropagation and deconvolution alter every `ReLU`, and altering this one would
    let gradient through where the function is flat.
    """

    def __init__(self, upper: float) -> None:
        super().__init__()
        self.bound = upper
        self.lower = nn.ReLU()
        self.upper = nn.LeakyReLU(negative_slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.lower(x)
        excess: Tensor = self.upper(y - self.bound)
        return y - excess


class WindowedMaxPool(nn.Module):
    """A max pool over windows that do not overlap, in a batch of two.

    Captum 0.9's DeepLIFT rule scatters what it gives to each window: where windows overlap, one window's share
    overwrites another's, and the sum over the input is no longer f(x) - f(baseline). So the windows are laid out side
    by side first. Where input and baseline are equal the rule also takes row 0's gradient for all rows. So the first
    half of the rows, the examples, becomes row 0, and the second half, their baselines, becomes row 1.
    """

    def __init__(self, pool: MaxPool) -> None:
        super().__init__()
        self.dimensions = 1 + MAX_POOLS.index(type(pool))
        self.kernel, self.stride, self.padding, self.dilation = (
            _each(value, self.dimensions)
            for value in (pool.kernel_size, pool.stride or pool.kernel_size, pool.padding, pool.dilation)
        )
        self.ceil_mode = pool.ceil_mode
        self.pool = type(pool)(_as_given(self.kernel), _as_given(self.kernel))

    def forward(self, x: Tensor) -> Tensor:
        """(rows, channels, *lengths) -> (rows, channels, *pooled lengths); as in PyTorch, `rows` may be missing."""
        batched = x if x.dim() == self.dimensions + 2 else x.unsqueeze(0)
        windows = batched
        for i in range(self.dimensions):
            windows = self._side_by_side(windows, i)
        rows, channels, *lengths = windows.shape
        if rows and rows % 2 == 0:
            windows = windows.reshape(2, rows // 2 * channels, *lengths)
        out: Tensor = self.pool(windows)
        out = out.reshape(rows, channels, *out.shape[2:])
        return out if batched is x else out.squeeze(0)

    def _side_by_side(self, x: Tensor, i: int) -> Tensor:
        """Lays the windows along spatial dimension `i` out next to each other."""
        dim, length = 2 + i, x.shape[2 + i]
        kernel, stride, padding = self.kernel[i], self.stride[i], self.padding[i]
        span = self.dilation[i] * (kernel - 1) + 1
        count = (length + 2 * padding - span + (stride - 1 if self.ceil_mode else 0)) // stride + 1
        if self.ceil_mode and (count - 1) * stride >= length + padding:
            count -= 1
        behind = max(0, (count - 1) * stride + span - length - padding)
        # The lowest finite number, not infinity: the difference of two of them is zero, not NaN.
        lowest = torch.finfo(x.dtype).min if x.is_floating_point() else torch.iinfo(x.dtype).min
        ahead_of_last = [0, 0] * (self.dimensions - 1 - i)
        padded = F.pad(x, [*ahead_of_last, padding, behind], value=lowest) if padding or behind else x
        windows = padded.unfold(dim, span, stride)[..., :: self.dilation[i]]
        return windows.movedim(-1, dim + 1).flatten(dim, dim + 1)


class Reused(nn.Module):
    """A module that is called several times in one forward: each call has a copy of it, with the same weights.

    `position` counts the calls of the running forward; the router sets it back.
    """

    def __init__(self, calls: Sequence[nn.Module]) -> None:
        super().__init__()
        self.position = 0
        for number, call in enumerate(calls, start=1):
            self.add_module(f"call_{number}", call)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # such as `weight`: the copies share it
            if name == "call_1":
                raise
            return getattr(super().__getattr__("call_1"), name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.position += 1
        call = self._modules.get(f"call_{self.position}")
        if call is None:
            raise RuntimeError(f"a module is called {self.position} times, more often than on the sample inputs")
        return call(*args, **kwargs)


class WriteBack(nn.Module):
    """An activation that also overwrites its input, as the in-place module did that it stands for."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return overwrite(x, self.layer(x.clone()))


class SpatialMean(nn.Module):
    """The mean over height and width, by a pool that LRP has a rule for.

    (rows, channels, height, width) -> (rows, channels), with `keepdim` (rows, channels, 1, 1).
    """

    def __init__(self, keepdim: bool) -> None:
        super().__init__()
        self.keepdim = keepdim
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor = self.pool(x)
        return mean if self.keepdim else mean.flatten(1)


class Beside(nn.Module):
    """A model with modules beside it that it cannot take itself, because it runs or lists its children.

    Its layers are still found by their own paths.
    """

    def __init__(self, model: nn.Module, layers: dict[str, nn.Module]) -> None:
        super().__init__()
        self.model = model
        self.layers = nn.ModuleDict(layers)

    def get_submodule(self, target: str) -> nn.Module:
        try:
            return self.model.get_submodule(target)
        except AttributeError:
            return super().get_submodule(target)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs)


def overlapping(pool: MaxPool) -> bool:
    """True where one value may be in several windows of a max pool."""
    dimensions = 1 + MAX_POOLS.index(type(pool))
    kernel, stride, dilation = (
        _each(value, dimensions) for value in (pool.kernel_size, pool.stride or pool.kernel_size, pool.dilation)
    )
    return any(step < size or apart > 1 for size, step, apart in zip(kernel, stride, dilation, strict=True))


def overwrite(x: Tensor, value: Tensor) -> Tensor:
    """Puts `value` into `x` where autograd allows it, so that other names of `x` see it too."""
    return value if x.is_leaf and x.requires_grad else x.copy_(value)


def _each(value: Any, dimensions: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (int(value),) * dimensions


def _as_given(values: tuple[int, ...]) -> Any:
    return values if len(values) > 1 else cast(Any, values[0])
