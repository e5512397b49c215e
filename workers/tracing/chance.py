"""Whether a model answers the same input with the same output: chance and state in its forward."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.tracing.draws import Tensors

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
OTHER_TOLERANCE = 1e-2
Seeded = Callable[[int], AbstractContextManager[object]]  # enters a random stream of that seed
SEEDS = range(1, 4)
REPEATS = 2
_CONTAINERS = (list, tuple, set, frozenset)


def settle(module: nn.Module, device: torch.device) -> None:
    """Puts every module that can be found into evaluation mode, frozen and on the device.

    `nn.Module.eval` reaches registered children only; modules in plain lists, dicts and objects stay in training mode.
    """
    for part in list(_modules(module, set())):
        part.eval()
        if not isinstance(part, torch.jit.ScriptModule):  # it allows no more
            part.requires_grad_(False)
        if part is not module:
            part.to(device)


def keeps_state(module: nn.Module, rows: list[Tensors], seeded: Seeded, expected: Tensor) -> bool:
    """True where equal inputs and equal seeds give different outputs, with other inputs in between.

    `expected` is an earlier `seeded_answer` for the first row.
    """
    first, *others = rows
    for number in range(REPEATS):
        if others:
            seeded_answer(module, others[number % len(others)], seeded)
        if not _equal(expected, seeded_answer(module, first, seeded)):
            return True
    return False


def seeded_answer(module: nn.Module, row: Tensors, seeded: Seeded) -> Tensor:
    with seeded(0):
        return _answer(module, row)


def draws_random_numbers(module: nn.Module, rows: list[Tensors], seeded: Seeded) -> bool:
    """True where the forward moves a random generator, or answers otherwise under another seed."""
    answers = []
    for seed in SEEDS:
        with seeded(seed):
            before = _states()
            answers.append(_answer(module, rows[0]))
            if before != _states():
                return True
    return any(not _equal(answers[0], answer) for answer in answers[1:])


def _states() -> tuple[Any, ...]:
    numpy = np.random.get_state()
    return torch.get_rng_state().tolist(), str(numpy[2:]), numpy[1].tobytes(), random.getstate()  # type: ignore[index]


def _answer(module: nn.Module, row: Tensors) -> Tensor:
    with torch.no_grad():
        out: Tensor = module(*(tensor.clone() for tensor in row))
    return out.clone()


def _equal(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    finite = torch.nan_to_num(one.double(), posinf=0.0, neginf=0.0)
    scale = float(finite.abs().max()) if one.numel() else 0.0
    allowed = TOLERANCE.get(one.dtype, OTHER_TOLERANCE) * scale
    return torch.allclose(one.double(), other.double(), rtol=0.0, atol=allowed, equal_nan=True)


def _modules(value: Any, seen: set[int]) -> Iterator[nn.Module]:
    """Every module that can be reached through attributes, containers and closures of modules."""
    stack = [value]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, Tensor | str | bytes | int | float | type(None)):
            continue
        seen.add(id(item))
        if isinstance(item, torch.jit.ScriptModule):
            yield item
        elif isinstance(item, nn.Module):
            yield item
            stack += list(vars(item).values())
        elif isinstance(item, dict):
            stack += list(item.values())
        elif isinstance(item, _CONTAINERS):
            stack += list(item)
        elif callable(item) and getattr(item, "__closure__", None):
            stack += [cell.cell_contents for cell in item.__closure__ if _filled(cell)]
        elif getattr(item, "__self__", None) is not None and isinstance(item.__self__, nn.Module):
            stack.append(item.__self__)
        elif type(item).__module__ not in ("builtins", "torch") and hasattr(item, "__dict__") and not callable(item):
            stack += [part for part in vars(item).values() if isinstance(part, (nn.Module, dict, *_CONTAINERS))]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
