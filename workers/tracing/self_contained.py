"""Whether copies of a module share nothing with it that a forward could change."""

from collections.abc import Iterator
from types import FunctionType
from typing import Any

import torch
from torch import nn


def is_self_contained(module: nn.Module) -> bool:
    """Whether a copy of a module may run while the module itself does, as far as its parts show.

    Copying a module copies its parts and their attributes, but no function. A hook or an attribute that is a closure
    still reads and writes what belongs to the original, and so may a forward that was replaced in one part. TorchScript
    cannot be looked at.
    """
    return not any(
        isinstance(part, torch.jit.ScriptModule)
        or part._forward_hooks
        or part._forward_pre_hooks
        or "forward" in vars(part)
        or any(isinstance(value, FunctionType) and value.__closure__ for value in _attributes(part))
        for part in module.modules()
    )


def _attributes(part: nn.Module) -> Iterator[Any]:
    """The values of a part's own attributes, and those in its lists, tuples and dicts."""
    for value in vars(part).values():
        yield value
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list | tuple):
            yield from value
