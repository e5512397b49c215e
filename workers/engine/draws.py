"""Random numbers of the CPU's generators, for a device that has generators of its own.

Each device draws other numbers from the same seed, so a seed would be another answer on each. Under `CpuDraws` whatever
a method draws for a device is drawn on the CPU and moved there.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

# Operations that do nothing but draw. PyTorch tags others as random too: attention and recurrent layers, which draw for
# their dropout alone and must stay on the device. Their dropout is off in evaluation mode.
DRAWING = {
    *("bernoulli", "bernoulli_", "binomial", "cauchy", "cauchy_", "exponential", "exponential_", "geometric"),
    *("geometric_", "log_normal", "log_normal_", "multinomial", "normal", "normal_", "poisson", "rand", "rand_like"),
    *("randint", "randint_like", "randn", "randn_like", "random", "random_", "randperm", "uniform", "uniform_"),
    *("_standard_gamma", "_sample_dirichlet"),
}

FUSED_DROPOUT = torch.ops.aten.native_dropout.default  # what `F.dropout` is on CUDA; on the CPU it is `bernoulli_`


class CpuDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, random numbers for any device are drawn by the CPU's generators and moved.

    It sees operations below autograd, so draws within Captum, `torch.distributions` or a model's code count too. A
    generator that the caller hands over must be one of the CPU.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is FUSED_DROPOUT and _device(args, kwargs).type != "cpu":
            return _dropped_out(*args, **kwargs)
        if not draws(func):
            return func(*args, **kwargs)
        device = _device(args, kwargs)
        return func(*args, **kwargs) if device.type == "cpu" else _drawn_on_cpu(func, device, args, kwargs)


def draws(func: Any) -> bool:
    """True for an ATen operation that does nothing but draw random numbers."""
    return func.namespace == "aten" and func.overloadpacket.__name__ in DRAWING


def _device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.device:
    """Where the numbers are wanted: the device that is named, else that of the tensors."""
    named = kwargs.get("device")
    if named is not None:
        return torch.device(named)
    tensors = (value for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def _drawn_on_cpu(func: Callable[..., Any], device: torch.device, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The operation with its tensors on the CPU, and its result where it was wanted; in place where it is so."""
    on_cpu = tree_map_only(Tensor, Tensor.cpu, (args, kwargs))
    if kwargs.get("device") is not None:
        on_cpu[1]["device"] = torch.device("cpu")
    drawn: Tensor = func(*on_cpu[0], **on_cpu[1])
    if func.overloadpacket.__name__.endswith("_"):  # type: ignore[attr-defined]
        return args[0].copy_(drawn)
    if isinstance(kwargs.get("out"), Tensor):
        return kwargs["out"].copy_(drawn)
    return drawn.to(device)


def _dropped_out(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """`F.dropout` with the elements that the CPU's drops; and a mask of those that stay."""
    if train is False:
        return input.clone(), torch.ones_like(input, dtype=torch.bool)
    stay = torch.empty_like(input, device="cpu").bernoulli_(1 - p)
    scale = stay.div_(1 - p).to(input.device)
    return input * scale, scale != 0
