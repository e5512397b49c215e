"""The operations that one forward of a model computes, read from autograd's graph."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from workers.tracing.forward_hooks import removed_afterwards
from workers.tracing.samples import Tensors, cloned, leaves, tensors_in

_READS_NO_VALUE = (
    "zeros_like",
    "ones_like",
    "full_like",
    "empty_like",
    "rand",
    "new_",
    "isnan",
    "isinf",
    "isfinite",
)
_LEAVES_THE_GRAPH = ("item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__", "__array__")


@dataclass(frozen=True, slots=True)
class Operation:
    """One differentiable operation on values that depend on the input.

    Attributes:
        name: autograd's, without its suffix: `Relu` for `ReluBackward0`.
        owner: path of the innermost module that was running.
        factors: positions of the operands that depend on the input.
        batch_statistics: the operation normalises with statistics of its batch.
    """

    name: str
    owner: str
    factors: frozenset[int]
    batch_statistics: bool


@dataclass(slots=True)
class Observation:
    """One forward. Modules are named by their paths.

    Attributes:
        operations: in the order of the graph.
        calls: number of calls of each module.
        rows: first dimension of the last input of each module.
        makers: for each module, the owners of the operations that computed its inputs.
        takers: for each module and input, the owners of the operations that use it, the module itself included.
        without_gradient: modules that received a tensor that requires no gradient.
        decisions: (path, function) where a value that depends on the input left the graph.
    """

    operations: list[Operation] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    rows: dict[str, int] = field(default_factory=dict)
    makers: dict[str, set[str]] = field(default_factory=dict)
    takers: dict[str, list[list[str]]] = field(default_factory=dict)
    without_gradient: set[str] = field(default_factory=set)
    decisions: list[tuple[str, str]] = field(default_factory=list)


def observe(module: nn.Module, inputs: Tensors, attributed: int | None = None) -> Observation:
    """Runs the module once with hooks, which are removed afterwards.

    Args:
        attributed: number of leading inputs that require a gradient; None: all.

    Raises:
        Whatever the module raises.
    """
    watcher = _Watcher()
    given = cloned(leaves(inputs, attributed))
    watcher.roots = {tensor.grad_fn for tensor in given if tensor.grad_fn is not None}
    handles = [handle for path, part in module.named_modules() for handle in watcher.watch(path, part)]
    with removed_afterwards(handles), torch.enable_grad(), _Decisions(watcher):
        module(*given)
    return watcher.finish()


class _Watcher:
    """Hooks on every module that find out which module computed each node of the graph.

    A node that appeared since the last hook ran belongs to the module that is running.
    """

    def __init__(self) -> None:
        self.roots: set[Any] = set()
        self.running: list[str] = []
        self.seen = Observation()
        self._owners: dict[Any, str] = {}  # node -> path; operands come before the nodes that use them
        self._entries: defaultdict[str, list[tuple[Any, int]]] = defaultdict(list)  # path -> (node, output)

    def watch(self, path: str, module: nn.Module) -> list[RemovableHandle]:
        def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
            self._claim([*tensors_in(args), *tensors_in(kwargs)])
            self.running.append(path)
            self.seen.calls[path] += 1
            for tensor in tensors_in(args):
                if tensor.dim():
                    self.seen.rows[path] = tensor.shape[0]
                if not tensor.requires_grad:
                    self.seen.without_gradient.add(path)
                if tensor.grad_fn is not None:
                    self._entries[path].append((tensor.grad_fn, tensor.output_nr))

        def after(_module: nn.Module, _args: Any, out: Any) -> None:
            self._claim(list(tensors_in(out)))
            self.running.pop()

        return [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after),
        ]

    def _claim(self, tensors: list[Tensor]) -> None:
        owner = self.running[-1] if self.running else ""
        stack: list[tuple[Any, bool]] = [(t.grad_fn, False) for t in tensors if t.grad_fn is not None]
        while stack:
            node, ready = stack.pop()
            if node in self._owners or node is None:
                continue
            if ready:
                self._owners[node] = owner
            else:
                stack.append((node, True))
                stack += [(parent, False) for parent, _ in node.next_functions]

    def finish(self) -> Observation:
        dependent: set[Any] = set(self.roots)
        for node, owner in self._owners.items():
            factors = frozenset(i for i, (parent, _) in enumerate(node.next_functions) if parent in dependent)
            if factors and node not in self.roots:
                dependent.add(node)
                name = node.name().rstrip("0123456789").removesuffix("Backward").rpartition("::")[2]
                statistics = bool(getattr(node, "_saved_training", False))
                self.seen.operations.append(Operation(name, owner, factors, statistics))
        takers: defaultdict[tuple[Any, int], list[str]] = defaultdict(list)
        for node, owner in self._owners.items():
            for operand in node.next_functions:
                takers[operand].append(owner)
        for path, entries in self._entries.items():
            self.seen.makers[path] = {self._owners[node] for node, _ in entries}
            self.seen.takers[path] = [takers[entry] for entry in entries]
        return self.seen


class _Decisions(TorchFunctionMode):
    """Records where values that depend on the input leave the graph: comparisons, `detach`, Python's `if`."""

    def __init__(self, watcher: _Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        depends = any(t.requires_grad for t in tensors_in(args))
        out = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", str(func))
        if depends and self._reads_values(name, out):
            self._watcher.seen.decisions.append((self._watcher.running[-1] if self._watcher.running else "", name))
        return out

    @staticmethod
    def _reads_values(name: str, out: Any) -> bool:
        if name in _LEAVES_THE_GRAPH:
            return True
        return isinstance(out, Tensor) and not out.requires_grad and not name.startswith(_READS_NO_VALUE)
