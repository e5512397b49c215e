"""Hooks that exist for the duration of one forward."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from workers.tracing.samples import Tensors


@contextmanager
def removed_afterwards(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Removes the hooks on exit."""
    handles = list(handles)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def run_with_outputs(module: nn.Module, inputs: Tensors, take: Callable[[str, Any], None]) -> None:
    """Runs a forward and passes each submodule's path and output to `take`, in the order in which submodules finish.

    The module itself and TorchScript submodules are left out. `take` sees an output before later submodules can
    overwrite it.

    Raises:
        Whatever the module raises.
    """

    def hook_of(path: str) -> Any:
        def hook(_module: nn.Module, _args: object, output: object) -> None:
            take(path, output)

        return hook

    handles = (
        part.register_forward_hook(hook_of(path))
        for path, part in module.named_modules()
        if path and not isinstance(part, torch.jit.ScriptModule)
    )
    with removed_afterwards(handles):
        module(*inputs)
