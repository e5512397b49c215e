"""Copies of a model that share its weights."""

import copy
from typing import TypeVar

from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def shared_copy(module: M) -> M:
    """Copies all modules and their attributes, but shares the parameters, buffers and tensors of the original.

    Raises:
        Whatever an attribute raises that cannot be copied.
    """
    tensors = [*module.parameters(), *module.buffers()]
    for part in module.modules():
        tensors += [value for value in vars(part).values() if isinstance(value, Tensor)]
    return copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})
