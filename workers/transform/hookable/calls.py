"""Function calls that a module can stand for: F.relu, torch.relu, x.relu_(), … -> nn.ReLU()."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from captum.attr._utils.custom_modules import Addition_Module
from torch import Tensor, nn

from workers.methods.deep_lift_rules import ClippedReLU
from workers.transform.hookable.modules import SpatialMean


@dataclass(frozen=True, slots=True)
class Call:
    """A layer by name with its parameters, the tensors it takes, and whether it overwrites the first."""

    layer: str
    parameters: tuple[Any, ...]
    operands: tuple[Tensor, ...]
    in_place: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for calls that the same module can answer."""
        return (self.layer, *self.parameters)


def _max_pool_layer(kind: type[nn.Module]) -> Callable[..., nn.Module]:
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
    "max_pool1d": _max_pool_layer(nn.MaxPool1d),
    "max_pool2d": _max_pool_layer(nn.MaxPool2d),
    "max_pool3d": _max_pool_layer(nn.MaxPool3d),
    "addition": Addition_Module,
    "avg_pool2d": nn.AvgPool2d,
    "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
    "spatial_mean": SpatialMean,
}


def build_layer(call: Call) -> nn.Module:
    return LAYERS[call.layer](*call.parameters).eval()


def recognise(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """The layer that gives the same as `function(*args, **kwargs)` on values that carry a gradient; None for others."""
    reader = _READERS.get(function)
    if reader is None:
        return None
    try:
        call = reader(*args, **kwargs)
    except TypeError:  # written in a way that no reader knows: left as it is, and later found by its gradient
        return None
    if call is None or not any(operand.requires_grad for operand in call.operands):
        return None
    return call


def _relu(input: Tensor, inplace: bool = False) -> Call:
    return Call("relu", (), (input,), inplace)


def _clipped(x: Tensor, lower: Any, upper: Any, in_place: bool) -> Call | None:
    if not isinstance(lower, int | float) or lower != 0:
        return None
    if upper is None or upper == float("inf"):
        return _relu(x, in_place)
    if not isinstance(upper, int | float) or upper <= 0:
        return None
    return Call("clipped_relu", (float(upper),), (x,), in_place)


def _relu6(input: Tensor, inplace: bool = False) -> Call | None:
    return _clipped(input, 0, 6, inplace)


def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Call | None:
    return _clipped(input, min_val, max_val, inplace)


def _clamp(input: Tensor, min: Any = None, max: Any = None, inplace: bool = False) -> Call | None:
    return _clipped(input, min, max, inplace)


def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Call | None:
    return _relu(input, inplace) if threshold == value == 0 else None


def _elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Call:
    return Call("elu", (alpha,), (input,), inplace)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Call:
    return Call("leaky_relu", (negative_slope,), (input,), inplace)


def _softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Call:
    return Call("softplus", (beta, threshold), (input,))


def _gelu(input: Tensor, *, approximate: str = "none") -> Call:
    return Call("gelu", (approximate,), (input,))


def _celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Call:
    return Call("celu", (alpha,), (input,), inplace)


def _plain(name: str) -> Callable[..., Call | None]:
    """An activation without parameters."""

    def read(input: Tensor, inplace: bool = False) -> Call | None:
        return Call(name, (), (input,), inplace)

    return read


def _softmax(name: str) -> Callable[..., Call | None]:
    def read(input: Tensor, dim: Any = None, dtype: Any = None) -> Call | None:
        if not isinstance(dim, int) or dtype not in (None, input.dtype):
            return None
        return Call(name, (dim,), (input,))

    return read


def _functional_softmax(name: str) -> Callable[..., Call | None]:
    def read(input: Tensor, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Call | None:
        return _softmax(name)(input, dim, dtype)

    return read


def _max_pool(name: str) -> Callable[..., Call | None]:
    def read(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Call | None:
        if return_indices:
            return None
        sizes = (_hashable(value) for value in (kernel_size, stride or None, padding, dilation))
        return Call(name, (*sizes, ceil_mode), (input,))

    return read


def _add(input: Any, other: Any, *, alpha: Any = 1, inplace: bool = False) -> Call | None:
    """Of two values that both come from the input. A weight is no operand: LRP could hang no hook on a frozen one."""
    for operand in (input, other):
        if not isinstance(operand, Tensor) or isinstance(operand, nn.Parameter) or not operand.requires_grad:
            return None
    return Call("addition", (), (input, other), inplace) if alpha == 1 else None


def _avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Call:
    sizes = (_hashable(value) for value in (kernel_size, stride or None, padding))
    return Call("avg_pool2d", (*sizes, ceil_mode, count_include_pad, divisor_override), (input,))


def _adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Call:
    return Call("adaptive_avg_pool2d", (_hashable(output_size),), (input,))


def _mean(input: Tensor, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Call | None:
    if input.dim() != 4 or not isinstance(dim, tuple | list) or dtype not in (None, input.dtype):
        return None
    return Call("spatial_mean", (keepdim,), (input,)) if sorted(d % 4 for d in dim) == [2, 3] else None


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _overwriting(reader: Callable[..., Call | None]) -> Callable[..., Call | None]:
    def read(*args: Any, **kwargs: Any) -> Call | None:
        return reader(*args, **kwargs, inplace=True)

    return read


_NAMES: dict[str, Callable[..., Call | None]] = {
    "relu": _relu,
    "relu6": _relu6,
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clip": _clamp,
    "clamp_min": _clamp,
    "threshold": _threshold,
    "elu": _elu,
    "leaky_relu": _leaky_relu,
    "softplus": _softplus,
    **{name: _plain(name) for name in ("sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid", "selu")},
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "gelu": _gelu,
    "celu": _celu,
    "max_pool1d": _max_pool("max_pool1d"),
    "max_pool2d": _max_pool("max_pool2d"),
    "max_pool3d": _max_pool("max_pool3d"),
    "add": _add,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "mean": _mean,
}
_OVERLOADS = ("default", "Tensor", "int", "dim")  # of the operators that exported programs call


def _spellings(name: str) -> Iterator[Any]:
    """Every function object that PyTorch calls by this name."""
    for namespace in (F, torch, torch.Tensor, torch._C._nn):
        if hasattr(namespace, name):
            yield getattr(namespace, name)
    packet = getattr(torch.ops.aten, name, None)
    if packet is not None:
        yield packet
        yield from (getattr(packet, overload) for overload in _OVERLOADS if overload in packet.overloads())


_READERS: dict[Any, Callable[..., Call | None]] = {
    **{function: _overwriting(reader) for name, reader in _NAMES.items() for function in _spellings(f"{name}_")},
    **{function: reader for name, reader in _NAMES.items() for function in _spellings(name)},
    F.softmax: _functional_softmax("softmax"),
    F.log_softmax: _functional_softmax("log_softmax"),
    F.threshold: _threshold,
}
