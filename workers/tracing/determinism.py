"""Whether a model gives equal outputs for equal inputs: random numbers and state in its forward."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.tracing.closeness import is_close
from workers.tracing.samples import Tensors, cloned
from workers.tracing.tuning import SEEDS, STATE_REPEATS

# Relative to the largest output.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
OTHER_TOLERANCE = 1e-2

Seeded = Callable[[int], AbstractContextManager[object]]  # makes a context in which random numbers follow a seed


def keeps_state(module: nn.Module, rows: list[Tensors], seeded: Seeded, expected: Tensor) -> bool:
    """Whether equal inputs under equal seeds give different outputs, with another row in between.

    Args:
        expected: the result of an earlier `seeded_output` for the first row.
    """
    first, *others = rows
    for number in range(STATE_REPEATS):
        if others:
            seeded_output(module, others[number % len(others)], seeded)
        if not _equal(expected, seeded_output(module, first, seeded)):
            return True
    return False


def seeded_output(module: nn.Module, row: Tensors, seeded: Seeded) -> Tensor:
    """The output for a row under seed 0."""
    with seeded(0):
        return _output(module, row)


def draws_random_numbers(module: nn.Module, rows: list[Tensors], seeded: Seeded) -> bool:
    """Whether the forward advances a global random generator, or gives other outputs under another seed."""
    outputs = []
    for seed in SEEDS:
        with seeded(seed):
            before = _generator_states()
            outputs.append(_output(module, rows[0]))
            if before != _generator_states():
                return True
    return any(not _equal(outputs[0], output) for output in outputs[1:])


def repeats(module: nn.Module, row: Tensors, seeded: Seeded, expected: Tensor) -> bool:
    """Whether one more forward, under a seed of its own, gives the output of an earlier `seeded_output`, and draws no
    random number. A quick test of what `keeps_state` and `draws_random_numbers` show in several forwards."""
    with seeded(SEEDS[0]):
        before = _generator_states()
        output = _output(module, row)
        return before == _generator_states() and _equal(expected, output)


def _generator_states() -> tuple[Any, ...]:
    numpy = np.random.get_state()
    return torch.get_rng_state().tolist(), str(numpy[2:]), numpy[1].tobytes(), random.getstate()  # type: ignore[index]


def _output(module: nn.Module, row: Tensors) -> Tensor:
    with torch.no_grad():
        out: Tensor = module(*cloned(row))
    return out.clone()


def _equal(one: Tensor, other: Tensor) -> bool:
    return is_close(one, other, TOLERANCE.get(one.dtype, OTHER_TOLERANCE))
