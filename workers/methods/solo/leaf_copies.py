"""Copies that a model may overwrite, so that methods with hooks are right on models with in-place operations.

An operation in place fails on a leaf of autograd's graph, and it overwrites what a method still needs. A model gets
copies of its inputs. What follows a layer gets a copy of what a hook has put in the layer's place. A copy has the same
values and passes its gradient on, so the model computes what it computed before.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from workers.engine.solo.hooks import takes_hooks
from workers.engine.view import ModelView


@contextlib.contextmanager
def private_tensors(view: ModelView, layer: str | None, *, at_input: bool) -> Iterator[None]:
    """While this is entered, the model takes copies of its inputs, and a layer gives copies of its output.

    Args:
        view: the model.
        layer: the path of the layer that a method hooks; None for none.
        at_input: the method hooks the layer's input: the layer takes copies, too.
    """
    roots = [root for root in {view.module, view.layer_module, view.hook_module} if takes_hooks(root)]
    layers = _layers(view, layer)
    after: list[RemovableHandle] = []

    def enter(_root: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Hangs the hooks on the layers again: they come behind those that a method has hung there meanwhile."""
        while after:
            after.pop().remove()
        after.extend(_hang(part, at_input=at_input) for part in layers)
        memo: dict[int, Tensor] = {}
        return _cloned(args, memo), {name: _cloned(value, memo) for name, value in kwargs.items()}

    before = [root.register_forward_pre_hook(enter, with_kwargs=True) for root in roots]
    try:
        yield
    finally:
        for handle in (*before, *after):
            handle.remove()


def _layers(view: ModelView, path: str | None) -> set[nn.Module]:
    """The layer as each of the view's modules runs it."""
    if path is None:
        return set()
    found = {view.layer_module.get_submodule(path), view.layer(path)}
    return {layer for layer in found if takes_hooks(layer)}


def _hang(layer: nn.Module, *, at_input: bool) -> RemovableHandle:
    def take(_module: nn.Module, args: Any) -> Any:
        return _cloned(args, {})

    def give(_module: nn.Module, _args: Any, out: Any) -> Any:
        return _cloned(out, {})

    return layer.register_forward_pre_hook(take) if at_input else layer.register_forward_hook(give)


def _cloned(value: Any, memo: dict[int, Tensor]) -> Any:
    """Copies of tensors, also in plain tuples and lists. One tensor that comes twice stays one."""
    if isinstance(value, Tensor):
        return memo.setdefault(id(value), value.clone())
    if type(value) in (tuple, list):
        return type(value)(_cloned(item, memo) for item in value)
    return value
