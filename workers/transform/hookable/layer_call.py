"""Calls that a module can replace, and the modules that replace them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from captum.attr._utils.custom_modules import Addition_Module
from torch import Tensor, nn

from workers.methods.captum_changes.deep_lift_rules import ClippedReLU
from workers.transform.hookable.stand_ins import SpatialMean


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A function call, as a call of a layer.

    Attributes:
        layer: a name in `LAYERS`.
        parameters: positional arguments of the layer's constructor; hashable.
        operands: the tensors that the layer takes.
        in_place: the call overwrites the first operand.
    """

    layer: str
    parameters: tuple[Any, ...]
    operands: tuple[Tensor, ...]
    in_place: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for calls that can be replaced by the same layer."""
        return (self.layer, *self.parameters)


def _max_pool(kind: type[nn.Module]) -> Callable[..., nn.Module]:
    def build(kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> nn.Module:
        return kind(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)

    return build


LAYERS: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "clipped_relu": ClippedReLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": nn.Softmax,
    "log_softmax": nn.LogSoftmax,
    "gelu": lambda approximate: nn.GELU(approximate=approximate),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "max_pool1d": _max_pool(nn.MaxPool1d),
    "max_pool2d": _max_pool(nn.MaxPool2d),
    "max_pool3d": _max_pool(nn.MaxPool3d),
    "addition": Addition_Module,
    "avg_pool2d": nn.AvgPool2d,
    "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
    "spatial_mean": SpatialMean,
}


def build_layer(call: LayerCall) -> nn.Module:
    """A new layer, in evaluation mode, that computes what the call computes."""
    return LAYERS[call.layer](*call.parameters).eval()
