"""The layer that a request explains that names none, where the description names none either."""

from collections.abc import Set
from typing import Any

import torch
from torch import Tensor, nn

from workers.engine.solo.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared


def default_layer(view: ModelView, sample: Prepared, shared: Set[str] = frozenset()) -> str | None:
    """Finds the layer that shows most of where in the input an output comes from.

    - A text model: its embedding, where Integrated Gradients of token ids is taken.
    - A model of one picture: the last layer with a map that moves the outputs. This is the last map before pooling of
      a convolutional network, and the last block or norm of a transformer whose picture tokens still reach the head.
      A transformer that reads only its class token passes no gradient to the other tokens behind its last attention;
      its layer is the norm before that attention.
    - Any other model: None.

    Args:
        view: the model.
        sample: one valid input.
        shared: layers that one forward calls more than once. They are left out, because methods at a layer explain one
            call.
    """
    if view.embedding is not None:
        return next((path for path, layer in view.layer_module.named_modules() if layer is view.embedding), None)
    if len(sample.inputs) != 1 or sample.inputs[0].dim() != 4 or not sample.inputs[0].is_floating_point():
        return None
    maps, outputs = _maps(view, sample.inputs[0])
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0)).to(outputs)
    for path, tensor in reversed(maps):
        if path in shared or not tensor.requires_grad:
            continue
        (gradient,) = torch.autograd.grad((outputs * weights).sum(), tensor, allow_unused=True, retain_graph=True)
        if gradient is not None and bool(
            (gradient if view.token_grid is None else view.token_grid.as_map(gradient)).any()
        ):
            return path
    return None


def _maps(view: ModelView, like: Tensor) -> tuple[list[tuple[str, Tensor]], Tensor]:
    """The layers whose output is a map, in the order in which they finish, and the model's output."""
    maps: dict[str, Tensor] = {}

    def record(path: str) -> Any:
        def hook(_module: nn.Module, _args: object, output: object) -> None:
            maps.pop(path, None)
            if isinstance(output, Tensor) and _is_map(view, output, path):
                maps[path] = output

        return hook

    layers = {path: layer for path, layer in view.layer_module.named_modules() if path and takes_hooks(layer)}
    handles = [layer.register_forward_hook(record(path)) for path, layer in layers.items()]
    inputs = torch.randn(like.shape, generator=torch.Generator().manual_seed(0)).to(like).requires_grad_()
    try:
        with torch.enable_grad():
            outputs: Tensor = view.layer_module(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
    return list(maps.items()), outputs


def _is_map(view: ModelView, output: Tensor, path: str) -> bool:
    """Whether an output, (1, …), has more than one place of the picture; of a transformer, whether it holds the tokens
    between two blocks or behind a norm."""
    if len(output) != 1:
        return False
    if view.token_grid is None:
        return output.dim() == 4 and output.shape[2] * output.shape[3] > 1
    if output.dim() == 4:
        return tuple(output.shape[2:]) in view.token_grid.grids
    if output.dim() != 3 or view.token_grid.of(output.shape[1]) is None:
        return False
    return path.rpartition(".")[2].isdigit() or "Norm" in type(view.layer_module.get_submodule(path)).__name__
