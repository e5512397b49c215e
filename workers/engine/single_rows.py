"""Models whose rows cannot share a pass: each forward takes one row, and draws by its job's seed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from schemas.errors import InputRejected
from workers.engine.randomness import RandomStream
from workers.engine.view import ModelView


@contextmanager
def seeded(view: ModelView, seed: int) -> Iterator[None]:
    """A shared pass of one row. A model that draws gets the seed, so that equal requests have equal answers."""
    with RandomStream(seed, view.device) if view.random else nullcontext():
        yield


@contextmanager
def one_row_each(view: ModelView, seed: int) -> Iterator[None]:
    """Watches every forward of the solo lane: refuses several rows, and seeds a model that draws for each.

    A method's own random numbers go on as if the model had drawn none.

    Raises:
        InputRejected: at a forward of several rows, on a model that runs alone.
    """
    if view.alone is None:
        yield
        return
    states: list[tuple[Any, ...]] = []

    def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
        rows = next((t.shape[0] for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and t.dim()), 1)
        if rows > 1:
            raise InputRejected(f"this method needs several rows in one pass, and this model runs alone: {view.alone}")
        if view.random:
            states.append((torch.get_rng_state(), np.random.get_state(), random.getstate()))
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)

    def after(_module: nn.Module, _args: Any, _out: Any) -> None:
        if states:
            drawn, numpy, python = states.pop()
            torch.set_rng_state(drawn)
            np.random.set_state(numpy)
            random.setstate(python)

    handles = [
        view.layer_module.register_forward_pre_hook(before, with_kwargs=True),
        view.layer_module.register_forward_hook(after),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
