"""The layer that the service explains where neither the operator nor the client names one."""

from collections.abc import Set
from typing import Any

import torch
from torch import Tensor, nn

from workers.engine.solo.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared


def default_layer(view: ModelView, sample: Prepared, shared: Set[str] = frozenset()) -> str | None:
    """The embedding of a text model, which is where Integrated Gradients of token ids is taken; of a model that takes
    one picture the last layer whose map moves the outputs: of a convolutional net the last map before pooling, of a
    transformer the last block or norm whose tokens of the picture still reach the head. None where there is none.

    A transformer that reads its class token alone lets no gradient through to the other tokens behind its last
    attention; there it is the norm before that. Layers in `shared`, which one forward calls more than once, are passed
    over: methods at a layer answer for one call.
    """
    if view.embedding is not None:
        return next((path for path, part in view.layer_module.named_modules() if part is view.embedding), None)
    if len(sample.inputs) != 1 or sample.inputs[0].dim() != 4 or not sample.inputs[0].is_floating_point():
        return None
    maps, out = _maps(view, sample.inputs[0])
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0)).to(out)
    for path, tensor in reversed(maps):
        if path in shared or not tensor.requires_grad:
            continue
        (gradient,) = torch.autograd.grad((out * weights).sum(), tensor, allow_unused=True, retain_graph=True)
        if gradient is not None and bool(
            (gradient if view.token_grid is None else view.token_grid.as_map(gradient)).any()
        ):
            return path
    return None


def _maps(view: ModelView, like: Tensor) -> tuple[list[tuple[str, Tensor]], Tensor]:
    """The outputs that are maps, by layer, in the order in which layers finish, and the model's output."""
    maps: dict[str, Tensor] = {}

    def record(path: str) -> Any:
        def hook(_module: nn.Module, _args: object, out: object) -> None:
            maps.pop(path, None)
            if isinstance(out, Tensor) and _is_map(view, out, path):
                maps[path] = out

        return hook

    parts = dict(view.layer_module.named_modules())
    handles = [part.register_forward_hook(record(path)) for path, part in parts.items() if path and takes_hooks(part)]
    inputs = torch.randn(like.shape, generator=torch.Generator().manual_seed(0)).to(like).requires_grad_()
    try:
        with torch.enable_grad():
            out: Tensor = view.layer_module(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
    return list(maps.items()), out


def _is_map(view: ModelView, out: Tensor, path: str) -> bool:
    """A map of more than one place; of a transformer, its tokens between two blocks or behind a norm."""
    if len(out) != 1:
        return False
    if view.token_grid is None:
        return out.dim() == 4 and out.shape[2] * out.shape[3] > 1
    if out.dim() == 4:
        return tuple(out.shape[2:]) in view.token_grid.grids
    if out.dim() != 3 or view.token_grid.of(out.shape[1]) is None:
        return False
    return path.rpartition(".")[2].isdigit() or "Norm" in type(view.layer_module.get_submodule(path)).__name__
