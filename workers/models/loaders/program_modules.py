"""Rebuilds an exported program as a tree of modules with the paths and class names of the exported model."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram, unflatten
from torch.utils import _pytree as pytree

from workers.models.loaders.aten_layers import layer_of
from workers.repository.model_toml import ModelConfigError


class ProgramModule(nn.Module):
    """One module of the program. Each is of a subclass with the name of the exported class."""

    def __init__(self, compute: Callable[..., Any]) -> None:
        super().__init__()
        self._compute = compute

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compute(self, *args, **kwargs)


class RootModule(ProgramModule):
    """The whole program."""

    def __init__(self, compute: Callable[..., Any], out_spec: pytree.TreeSpec) -> None:
        super().__init__(compute)
        self._out_spec = out_spec

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return pytree.tree_unflatten(self._compute(self, *args), self._out_spec)


def as_modules(program: ExportedProgram) -> nn.Module:
    """Does what `torch.export.unflatten` does, without the traced values that its modules keep, which cannot be copied.

    Raises:
        ModelConfigError: the program keeps the signatures of inner modules.
    """
    root = unflatten(program)
    signature = root.module_call_graph[0].signature
    if signature is None:
        raise ModelConfigError("file: the program does not tell the structure of its output")
    made: dict[nn.Module, nn.Module] = {}
    for part in reversed(list(root.modules())):  # children first
        graph_module = getattr(part, "graph_module", None)
        if not isinstance(graph_module, torch.fx.GraphModule):
            raise ModelConfigError("file: export the program without preserve_module_call_signature")
        compute = type(graph_module).forward
        if part is root:
            made[part] = _filled(RootModule(compute, signature.out_spec), part, made)
        else:
            made[part] = _layer(part) or _filled(_named(part)(compute), part, made)
    return made[root]


def _layer(part: Any) -> nn.Module | None:
    tensors = {**part._parameters, **part._buffers}
    return layer_of(part.graph, str(part._ty), {name: tensor for name, tensor in tensors.items() if tensor is not None})


def _filled(new: nn.Module, part: nn.Module, made: dict[nn.Module, nn.Module]) -> nn.Module:
    """Gives `new` the tensors of `part`, and the modules made for its children."""
    for name, value in vars(part).items():
        if isinstance(value, torch.Tensor):
            setattr(new, name, value)
    new._parameters, new._buffers = part._parameters, part._buffers
    new._non_persistent_buffers_set = part._non_persistent_buffers_set
    new._modules = {name: made[child] for name, child in part._modules.items() if child is not None}
    return new


def _named(part: nn.Module) -> type[ProgramModule]:
    name = str(getattr(part, "_ty", None) or "Part").rpartition(".")[2]
    return type(name, (ProgramModule,), {})
