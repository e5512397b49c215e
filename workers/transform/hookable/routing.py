"""Routes each function call of a running forward to a module of its own."""

from collections import Counter
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from workers.tracing.module_names import STANDS_FOR, named
from workers.transform.hookable.call_readers import recognise
from workers.transform.hookable.layer_call import LayerCall, build_layer
from workers.transform.hookable.stand_ins import CallSequence, overwrite

_ITERATED = (nn.Sequential, nn.ModuleList, nn.ModuleDict)  # they would run or list an added child


class Router:
    """Replaces function calls of a model by calls of layers. It handles one forward at a time.

    While `growing`, a call for which no layer is left gets a new one. Afterwards such a call is an error: methods hook
    the layers that exist, and would miss it.

    Args:
        write_back: in-place calls overwrite their operand.
        outside: new layers are kept in `outside_layers`, and not added to the modules that call them.
    """

    def __init__(self, write_back: bool, outside: bool) -> None:
        self.growing = False
        self.outside_layers: dict[str, nn.Module] = {}
        self.added: list[str] = []  # paths of the new layers
        self._sequences: list[CallSequence] = []
        self._write_back = write_back
        self._outside = outside
        self._running: list[Scope] = []
        self._layers: dict[tuple[str, tuple[Any, ...]], list[nn.Module]] = {}  # by (path, key of the call)
        self._used: Counter[tuple[str, tuple[Any, ...]]] = Counter()  # layers used in the running forward

    def attach(self, root: nn.Module, leaves: set[nn.Module]) -> None:
        """Routes calls of `root` and its submodules from now on, except those that `leaves` make."""
        for path, module in list(root.named_modules()):
            if isinstance(module, CallSequence):
                self._sequences.append(module)
            vars(module)["forward"] = Scope(self, path, module, module in leaves)

    def enter(self, scope: "Scope") -> None:
        self._running.append(scope)

    def leave(self) -> None:
        self._running.pop()

    @property
    def idle(self) -> bool:
        """Whether no forward is running."""
        return not self._running

    def start(self) -> None:
        """Starts a new forward, in which all layers are unused."""
        self._used.clear()
        for sequence in self._sequences:
            sequence.position = 0

    def route(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function call, computed by a layer where one can replace the call."""
        scope = self._running[-1]
        call = None if scope.leaf else recognise(function, args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        layer = self._next_layer(scope, call)
        if not (call.in_place and self._write_back):
            return layer(*call.operands)
        first, *others = call.operands
        return overwrite(first, layer(first.clone(), *others))

    def _next_layer(self, scope: "Scope", call: LayerCall) -> nn.Module:
        key = (scope.path, call.key)
        layers = self._layers.setdefault(key, [])
        self._used[key] += 1
        if self._used[key] > len(layers):
            if not self.growing:
                raise RuntimeError(
                    f"{scope.label} calls {call.layer} {self._used[key]} times, more often than on the sample inputs"
                )
            layers.append(self._add_layer(call))
            vars(layers[-1])[STANDS_FOR] = f"{call.layer} in {scope.label}"
        return layers[self._used[key] - 1]

    def _add_layer(self, call: LayerCall) -> nn.Module:
        """Adds a child to the innermost running module that does not run its children in turn, or keeps it outside."""
        layer = build_layer(call)
        parents = [] if self._outside else [s for s in self._running if not isinstance(s.module, _ITERATED)]
        if parents:
            name = _free_name(call.layer, vars(parents[-1].module)["_modules"])
            parents[-1].module.add_module(name, layer)
            self.added.append(f"{parents[-1].path}.{name}".lstrip("."))
        else:
            name = _free_name(call.layer, self.outside_layers)
            self.outside_layers[name] = layer
            self.added.append(f"layers.{name}")
        return layer


def _free_name(layer: str, used: dict[str, Any]) -> str:
    number = 1
    while f"{layer}_{number}" in used:
        number += 1
    return f"{layer}_{number}"


class Scope:
    """Replaces the forward of one module: runs it and reports its start and end to a router."""

    def __init__(self, router: Router, path: str, module: nn.Module, leaf: bool) -> None:
        self.router = router
        self.path = path
        self.module = module
        self.leaf = leaf
        self._forward = module.forward

    @property
    def label(self) -> str:
        return named(self.path, self.module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.router.idle:
            return self._run(args, kwargs)
        self.router.start()
        with _Routing(self.router):
            return self._run(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.router.enter(self)
        try:
            return self._forward(*args, **kwargs)
        finally:
            self.router.leave()


class _Routing(TorchFunctionMode):
    """Passes every PyTorch function call to a router. PyTorch disables the mode while the router runs."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self._router.idle:  # a hook of the outermost module
            return func(*args, **(kwargs or {}))
        return self._router.route(func, args, kwargs or {})
