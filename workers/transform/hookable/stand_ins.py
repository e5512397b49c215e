"""Modules that replace parts of a model, built from modules that Captum has rules for."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn


class CallSequence(nn.Module):
    """Replaces a module that one forward calls several times: each call runs a copy of its own, with shared weights.

    `position` counts the calls of the running forward; `Router.start` resets it.
    """

    def __init__(self, calls: Sequence[nn.Module]) -> None:
        super().__init__()
        self.position = 0
        for number, call in enumerate(calls, start=1):
            self.add_module(f"call_{number}", call)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # such as `weight`, which the copies share
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
    """Replaces an in-place activation: runs a hookable layer and overwrites the input with its output."""

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


class WithLayers(nn.Module):
    """A model together with layers that replace its function calls, kept outside of the model.

    A model that runs or lists its children would run an added child too. `get_submodule` finds the model's layers by
    their paths in the model.
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
    """Copies `value` into `x`, so that other references to `x` see it. Autograd forbids it for a leaf."""
    return value if x.is_leaf and x.requires_grad else x.copy_(value)
