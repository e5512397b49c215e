"""A stand-in for a device that is not the CPU: tensors that say they are on `meta`, and hold numbers nevertheless."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from workers.engine.randomness.cpu_draws import only_draws

DEVICE = torch.device("meta")


class Moved(Tensor):
    """A tensor on the stand-in; `held` are its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Moved":
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=DEVICE
        )
        made.held = held
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """While it is entered, the stand-in exists. `drawn` names the operations that drew on it."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[str] = []
        self._literals = Literals()

    def __enter__(self) -> "Elsewhere":
        self._literals.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._literals.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if only_draws(func) and _is_there(args, kwargs):
            self.drawn.append(str(func))
        return _run(func, args, kwargs)


class Literals(TorchFunctionMode):
    """`torch.tensor`, a list as an index and `tolist` are copied below dispatch; here they keep their numbers."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and kwargs.get("device") is not None and torch.device(kwargs["device"]) == DEVICE:
            return moved(torch.tensor(*args, **{**kwargs, "device": torch.device("cpu")}))
        if func is Tensor.__getitem__ and isinstance(args[1], list):
            return args[0][torch.tensor(args[1])]
        if func is Tensor.tolist:
            return func(held(args[0]))
        return func(*args, **kwargs)


def _is_there(args: Any, kwargs: Any) -> bool:
    named = kwargs.get("device")
    if named is not None:
        return torch.device(named) == DEVICE
    found: list[Moved] = []
    tree_map_only(Moved, found.append, (args, kwargs))
    return bool(found)


def _run(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    there = _is_there(args, kwargs)
    args, kwargs = tree_map_only(Moved, lambda moved: moved.held, (args, kwargs))
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    out = func(*args, **kwargs)
    return tree_map_only(Tensor, Moved, out) if there else out


def moved(tensor: Tensor) -> Tensor:
    return Moved(tensor)


def held(tensor: Tensor) -> Tensor:
    """Its numbers, wherever it is."""
    tensor = tensor.detach()
    return tensor.held if isinstance(tensor, Moved) else tensor
