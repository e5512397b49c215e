"""Hooks on a model's modules: which models take them, and how all of them are removed again."""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

_HOOK_TABLES = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_LEFT_ATTRIBUTES = ("input", "output", "activations", "rule")  # that Captum sets on modules
TORCHSCRIPT = (
    "TorchScript takes no hooks, so neither its layers nor the backward pass of its activations can be reached; "
    "load the model from Python, or export it with torch.export"
)


def takes_hooks(module: nn.Module) -> bool:
    """False for TorchScript, which refuses hooks."""
    return not isinstance(module, torch.jit.ScriptModule)


class HookSnapshot:
    """The hooks and plain attributes of all submodules of some modules, to be restored after a Captum call.

    Captum removes its hooks when a call succeeds. After an error (a model that raises, a lack of memory, a cancelled
    job) some of them stay, and would make every later result wrong.
    """

    def __init__(self, *roots: nn.Module) -> None:
        self._modules = list({id(m): m for root in roots for m in root.modules()}.values())
        self._tables = [tuple(OrderedDict(getattr(m, table)) for table in _HOOK_TABLES) for m in self._modules]
        self._attributes = [{a: m.__dict__[a] for a in _LEFT_ATTRIBUTES if a in m.__dict__} for m in self._modules]

    def restore(self) -> None:
        """Puts hooks and attributes back as they were."""
        for module, tables, attributes in zip(self._modules, self._tables, self._attributes, strict=True):
            for name, before in zip(_HOOK_TABLES, tables, strict=True):
                _restore_table(getattr(module, name), before)
            for name in _LEFT_ATTRIBUTES:
                if name in attributes:
                    module.__dict__[name] = attributes[name]
                else:
                    module.__dict__.pop(name, None)


def _restore_table(table: "OrderedDict[int, Any]", before: "OrderedDict[int, Any]") -> None:
    if list(table) != list(before):
        table.clear()
        table.update(before)
