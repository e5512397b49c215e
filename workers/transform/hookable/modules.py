"""Modules that stand in for others, made of pieces that Captum has rules for."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn


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


def overwrite(x: Tensor, value: Tensor) -> Tensor:
    """Puts `value` into `x` where autograd allows it, so that other names of `x` see it too."""
    return value if x.is_leaf and x.requires_grad else x.copy_(value)
