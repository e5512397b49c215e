"""Leaves a model as it was found.

Captum removes its hooks when all goes well; after an exception (a model that raises, a lack of memory, a cancelled job)
some stay, and every later answer would be silently wrong.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

_HOOK_TABLES = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_CAPTUM_ATTRIBUTES = ("input", "output", "activations", "rule")
TORCHSCRIPT = (
    "TorchScript takes no hooks, so neither its layers nor the backward pass of its activations can be reached; "
    "load the model from Python, or export it with torch.export"
)


def takes_hooks(module: nn.Module) -> bool:
    """False for TorchScript, which refuses them."""
    return not isinstance(module, torch.jit.ScriptModule)


class HookSnapshot:
    """The hooks and plain attributes of all submodules, to be put back."""

    def __init__(self, *roots: nn.Module) -> None:
        self._modules = list({id(m): m for root in roots for m in root.modules()}.values())
        self._tables = [tuple(OrderedDict(getattr(m, table)) for table in _HOOK_TABLES) for m in self._modules]
        self._attributes = [{a: m.__dict__[a] for a in _CAPTUM_ATTRIBUTES if a in m.__dict__} for m in self._modules]

    def restore(self) -> None:
        for module, tables, attributes in zip(self._modules, self._tables, self._attributes, strict=True):
            for name, before in zip(_HOOK_TABLES, tables, strict=True):
                _put_back(getattr(module, name), before)
            for name in _CAPTUM_ATTRIBUTES:
                if name in attributes:
                    module.__dict__[name] = attributes[name]
                else:
                    module.__dict__.pop(name, None)


def _put_back(table: "OrderedDict[int, Any]", before: "OrderedDict[int, Any]") -> None:
    if list(table) != list(before):
        table.clear()
        table.update(before)
