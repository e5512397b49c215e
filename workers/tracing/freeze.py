"""Puts a model into the state in which it serves: evaluation mode, frozen, on its device."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

_CONTAINERS = (list, tuple, set, frozenset)
_PLAIN_VALUES = (Tensor, str, bytes, int, float, type(None))


def freeze(module: nn.Module, device: torch.device) -> None:
    """Puts every module that can be reached into evaluation mode, without gradients of weights, on the device.

    `nn.Module.eval` and `to` reach registered children only. Modules in plain lists, dicts, objects and closures would
    stay in training mode.
    """
    for part in list(_reachable_modules(module)):
        part.eval()
        if not isinstance(part, torch.jit.ScriptModule):  # TorchScript refuses it for a part of a module
            part.requires_grad_(False)
        if part is not module:
            part.to(device)


def _reachable_modules(root: Any) -> Iterator[nn.Module]:
    seen: set[int] = set()
    stack = [root]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, _PLAIN_VALUES):
            continue
        seen.add(id(item))
        if isinstance(item, nn.Module):
            yield item
        stack += _referred_to(item)


def _referred_to(item: Any) -> list[Any]:
    """What an object holds in attributes, containers and closures, as far as modules may be found there."""
    held: list[Any] = []
    if isinstance(item, torch.jit.ScriptModule):
        pass  # `eval` and `to` reach all of its parts
    elif isinstance(item, nn.Module):
        held = list(vars(item).values())
    elif isinstance(item, dict):
        held = list(item.values())
    elif isinstance(item, _CONTAINERS):
        held = list(item)
    elif callable(item) and getattr(item, "__closure__", None):
        held = [cell.cell_contents for cell in item.__closure__ if _is_filled(cell)]
    elif isinstance(getattr(item, "__self__", None), nn.Module):
        held = [item.__self__]
    elif type(item).__module__ not in ("builtins", "torch") and hasattr(item, "__dict__") and not callable(item):
        held = [part for part in vars(item).values() if isinstance(part, (nn.Module, dict, *_CONTAINERS))]
    return held


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # the variable has no value yet
        return False
