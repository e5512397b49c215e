"""Sends each function call of a running forward to a module of its own."""

from collections import Counter
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from workers.transform.hookable.calls import Call, build_layer, recognise
from workers.transform.hookable.modules import Reused, overwrite

_ITERATED = (nn.Sequential, nn.ModuleList, nn.ModuleDict)  # a new child would become one of their steps


class Router:
    """Knows which module is running, and which modules stand for the functions it calls.

    While `growing`, a call that no module is left for gets a new one. Afterwards it is an error: hooks hang on the
    modules that there are, and a call past them would be computed without. One forward at a time.
    """

    def __init__(self, write_back: bool, apart: bool) -> None:
        self.growing = False
        self.beside: dict[str, nn.Module] = {}  # the layers that no module could take
        self.added: list[str] = []
        self.reused: list[Reused] = []
        self._write_back = write_back
        self._apart = apart
        self._running: list[Scope] = []
        self._layers: dict[tuple[str, tuple[Any, ...]], list[nn.Module]] = {}
        self._taken: Counter[tuple[str, tuple[Any, ...]]] = Counter()

    def attach(self, root: nn.Module, leaves: set[nn.Module]) -> None:
        """From now on calls of `root` and what is below it are routed; functions that `leaves` call are their own."""
        for path, module in list(root.named_modules()):
            if isinstance(module, Reused):
                self.reused.append(module)
            vars(module)["forward"] = Scope(self, path, module, module in leaves)

    def enter(self, scope: "Scope") -> None:
        self._running.append(scope)

    def leave(self) -> None:
        self._running.pop()

    @property
    def idle(self) -> bool:
        return not self._running

    def start(self) -> None:
        """A new forward: all modules are free again."""
        self._taken.clear()
        for module in self.reused:
            module.position = 0

    def answer(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = self._running[-1]
        call = None if scope.leaf else recognise(function, args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        layer = self._take(scope, call)
        if not (call.in_place and self._write_back):
            return layer(*call.operands)
        first, *others = call.operands
        return overwrite(first, layer(first.clone(), *others))

    def _take(self, scope: "Scope", call: Call) -> nn.Module:
        key = (scope.path, call.key)
        layers = self._layers.setdefault(key, [])
        self._taken[key] += 1
        if self._taken[key] > len(layers):
            if not self.growing:
                raise RuntimeError(
                    f"{scope.label} calls {call.layer} {self._taken[key]} times, more often than on the sample inputs"
                )
            layers.append(self._add(call))
            vars(layers[-1])["stands_for"] = f"{call.layer} in {scope.label}"
        return layers[self._taken[key] - 1]

    def _add(self, call: Call) -> nn.Module:
        """A new layer as a child of the module that calls it, or of the next above that does not run its children."""
        layer = build_layer(call)
        takers = [] if self._apart else [s for s in self._running if not isinstance(s.module, _ITERATED)]
        if takers:
            name = _free_name(call.layer, vars(takers[-1].module)["_modules"])
            takers[-1].module.add_module(name, layer)
            self.added.append(f"{takers[-1].path}.{name}".lstrip("."))
        else:
            name = _free_name(call.layer, self.beside)
            self.beside[name] = layer
            self.added.append(f"layers.{name}")
        return layer


def _free_name(layer: str, taken: dict[str, Any]) -> str:
    number = 1
    while f"{layer}_{number}" in taken:
        number += 1
    return f"{layer}_{number}"


class Scope:
    """The forward of one module, under a router's eyes."""

    def __init__(self, router: Router, path: str, module: nn.Module, leaf: bool) -> None:
        self.router = router
        self.path = path
        self.module = module
        self.leaf = leaf
        self._forward = module.forward

    @property
    def label(self) -> str:
        return f"{self.path or 'the model'} ({type(self.module).__name__})"

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
    """PyTorch hands every function call here; it is switched off while one is answered."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self._router.idle:  # a hook of the outermost module
            return func(*args, **(kwargs or {}))
        return self._router.answer(func, args, kwargs or {})
