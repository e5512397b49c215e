"""Reads calls of activation functions and pools: `F.relu(x, inplace=True)` -> `LayerCall("relu", (), (x,), True)`.

Each reader takes the arguments of a PyTorch function by their names there. It returns None where no module computes the
same.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.transform.hookable.layer_call import LayerCall

Reader = Callable[..., LayerCall | None]


def _relu(input: Tensor, inplace: bool = False) -> LayerCall:
    return LayerCall("relu", (), (input,), inplace)


def _clipped(x: Tensor, lower: Any, upper: Any, in_place: bool) -> LayerCall | None:
    if not isinstance(lower, int | float) or lower != 0:
        return None
    if upper is None or upper == float("inf"):
        return _relu(x, in_place)
    if not isinstance(upper, int | float) or upper <= 0:
        return None
    return LayerCall("clipped_relu", (float(upper),), (x,), in_place)


def _relu6(input: Tensor, inplace: bool = False) -> LayerCall | None:
    return _clipped(input, 0, 6, inplace)


def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> LayerCall | None:
    return _clipped(input, min_val, max_val, inplace)


def _clamp(input: Tensor, min: Any = None, max: Any = None, inplace: bool = False) -> LayerCall | None:
    return _clipped(input, min, max, inplace)


def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> LayerCall | None:
    return _relu(input, inplace) if threshold == value == 0 else None


def _elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> LayerCall:
    return LayerCall("elu", (alpha,), (input,), inplace)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> LayerCall:
    return LayerCall("leaky_relu", (negative_slope,), (input,), inplace)


def _softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> LayerCall:
    return LayerCall("softplus", (beta, threshold), (input,))


def _gelu(input: Tensor, *, approximate: str = "none") -> LayerCall:
    return LayerCall("gelu", (approximate,), (input,))


def _celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> LayerCall:
    return LayerCall("celu", (alpha,), (input,), inplace)


def _without_parameters(name: str) -> Reader:
    """Reads an activation without parameters."""

    def read(input: Tensor, inplace: bool = False) -> LayerCall | None:
        return LayerCall(name, (), (input,), inplace)

    return read


def _softmax(name: str) -> Reader:
    def read(input: Tensor, dim: Any = None, dtype: Any = None) -> LayerCall | None:
        if not isinstance(dim, int) or dtype not in (None, input.dtype):
            return None
        return LayerCall(name, (dim,), (input,))

    return read


def _functional_softmax(name: str) -> Reader:
    def read(input: Tensor, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> LayerCall | None:
        return _softmax(name)(input, dim, dtype)

    return read


def _max_pool(name: str) -> Reader:
    def read(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> LayerCall | None:
        if return_indices:
            return None
        sizes = (_hashable(value) for value in (kernel_size, stride or None, padding, dilation))
        return LayerCall(name, (*sizes, ceil_mode), (input,))

    return read


def _add(input: Any, other: Any, *, alpha: Any = 1, inplace: bool = False) -> LayerCall | None:
    """Reads a sum of two values that both depend on the input. LRP cannot hook a frozen weight."""
    for operand in (input, other):
        if not isinstance(operand, Tensor) or isinstance(operand, nn.Parameter) or not operand.requires_grad:
            return None
    return LayerCall("addition", (), (input, other), inplace) if alpha == 1 else None


def _avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> LayerCall:
    sizes = (_hashable(value) for value in (kernel_size, stride or None, padding))
    return LayerCall("avg_pool2d", (*sizes, ceil_mode, count_include_pad, divisor_override), (input,))


def _adaptive_avg_pool2d(input: Tensor, output_size: Any) -> LayerCall:
    return LayerCall("adaptive_avg_pool2d", (_hashable(output_size),), (input,))


def _mean(input: Tensor, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> LayerCall | None:
    if input.dim() != 4 or not isinstance(dim, tuple | list) or dtype not in (None, input.dtype):
        return None
    return LayerCall("spatial_mean", (keepdim,), (input,)) if sorted(d % 4 for d in dim) == [2, 3] else None


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _in_place(reader: Reader) -> Reader:
    """Reads the function whose name ends in an underscore."""

    def read(*args: Any, **kwargs: Any) -> LayerCall | None:
        return reader(*args, **kwargs, inplace=True)

    return read


_WITHOUT_PARAMETERS = ("sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid", "selu")
_NAMES: dict[str, Reader] = {
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
    **{
        name: _without_parameters(name)
        for name in ("sigmoid", "tanh", "silu", "mish", "hardswish", "hardsigmoid", "selu")
    },
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
    """All function objects of PyTorch with this name."""
    for namespace in (F, torch, torch.Tensor, torch._C._nn):
        if hasattr(namespace, name):
            yield getattr(namespace, name)
    packet = getattr(torch.ops.aten, name, None)
    if packet is not None:
        yield packet
        yield from (getattr(packet, overload) for overload in _OVERLOADS if overload in packet.overloads())


_READERS: dict[Any, Reader] = {
    **{function: _in_place(reader) for name, reader in _NAMES.items() for function in _spellings(f"{name}_")},
    **{function: reader for name, reader in _NAMES.items() for function in _spellings(name)},
    F.softmax: _functional_softmax("softmax"),
    F.log_softmax: _functional_softmax("log_softmax"),
    F.threshold: _threshold,
}


def read_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LayerCall | None:
    """The layer call that equals `function(*args, **kwargs)`; None for functions and arguments that no reader takes."""
    reader = _READERS.get(function)
    if reader is None:
        return None
    try:
        return reader(*args, **kwargs)
    except TypeError:  # arguments that no reader takes; the call stays a function, which `defects` finds
        return None


def recognise(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LayerCall | None:
    """As `read_call`; None too where no operand requires a gradient, because hooks act on gradients only."""
    call = read_call(function, args, kwargs)
    if call is None or not any(operand.requires_grad for operand in call.operands):
        return None
    return call
