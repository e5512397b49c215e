"""Models whose rows run alone: each forward takes one row, and draws by the seed of its job."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from schemas.errors import InputRejected
from schemas.sentences import Sentence, words
from workers.engine.randomness.stream import RandomStream
from workers.engine.view import ModelView


@contextmanager
def seeded(view: ModelView, seed: int) -> Iterator[None]:
    """Around a shared pass: a model that draws gets the seed, so that equal requests have equal results."""
    with RandomStream(seed, view.device) if view.draws_random else nullcontext():
        yield


@contextmanager
def one_row_each(view: ModelView, seed: int) -> Iterator[None]:
    """Around a call in the solo lane: refuses forwards of several rows, and seeds a model that draws for each forward.

    A method's own random numbers continue as if the model had drawn none. Does nothing for models whose rows share
    passes.

    Raises:
        InputRejected: from a forward of several rows.
    """
    alone = view.alone_reason
    if alone is None:
        yield
        return
    saved: list[tuple[Any, ...]] = []  # states of the generators

    def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
        rows = next((t.shape[0] for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and t.dim()), 1)
        if rows > 1:
            raise InputRejected(
                Sentence(
                    "this method needs several rows in one pass, and this model runs alone: {reason}",
                    reason=words(alone),
                )
            )
        if view.draws_random:
            saved.append((torch.get_rng_state(), np.random.get_state(), random.getstate()))
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)

    def after(_module: nn.Module, _args: Any, _out: Any) -> None:
        if saved:
            of_torch, of_numpy, of_python = saved.pop()
            torch.set_rng_state(of_torch)
            np.random.set_state(of_numpy)
            random.setstate(of_python)

    handles = [
        view.layer_module.register_forward_pre_hook(before, with_kwargs=True),
        view.layer_module.register_forward_hook(after),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
