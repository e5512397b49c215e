"""Rule modules: copies of a module whose activations follow another backward rule."""

from collections.abc import Hashable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workers.tracing.samples import Tensors
from workers.tracing.shared_copy import shared_copy
from workers.transform.hookable.call_readers import read_call
from workers.transform.hookable.layer_call import LayerCall, build_layer
from workers.transform.hookable.stand_ins import overwrite
from workers.transform.rules.activation_rule import ActivationRule


@dataclass(frozen=True, slots=True)
class RuleWay:
    """How a rule module is made.

    Attributes:
        steps: of `workers.transform.optimize`, whose copy it is made from.
        functions: calls of activation functions follow the rule too, not only modules. Every operation is looked at.
        write_back: activations in place overwrite their input, for models that read it afterwards.
    """

    steps: tuple[str, ...]
    functions: bool
    write_back: bool


class RuleModule(nn.Module):
    """A model whose activations follow a backward rule, so that its gradients are those of the rule.

    No hooks are used: each call of an activation is an operation of its own in the graph. So modules may be called
    several times, and what an activation takes may be used elsewhere too. It runs one forward at a time.

    Args:
        model: shares its weights with this module, and is not changed.
        rule: of this module alone.
        way: how the activations are found.

    Attributes:
        way: how it was made.

    Raises:
        Whatever a part raises that cannot be copied.
    """

    def __init__(self, model: nn.Module, rule: ActivationRule, way: RuleWay) -> None:
        super().__init__()
        self.model = shared_copy(model)
        self.way = way
        self._rule = rule
        self._calls = _Calls(rule, way)
        for part in self.model.modules():
            if rule.covers(part):
                vars(part)["forward"] = _Activation(part, self._calls)
        self._functions = way.functions

    def forward(self, rows: Tensors, baselines: Tensors = (), eps: float = 0.0) -> Tensor:
        """The model's outputs for `rows`, with a graph whose gradients are those of the rule.

        Args:
            rows: inputs and additional forward args.
            baselines: the same of the baselines, for a rule that compares rows with them.
            eps: of such a rule.
        """
        with self._calls if self._functions else nullcontext():
            return self._rule.run(self.model, rows, baselines, eps)

    def computes_as(self, way: RuleWay) -> bool:
        """Whether a module made in this way would have computed the same in all forwards so far.

        Ways differ in what they do with calls of functions and with activations in place. A model may have none.
        """
        return (
            way.steps == self.way.steps
            and (way.functions == self.way.functions or (self._functions and not self._calls.met_function))
            and (way.write_back == self.way.write_back or not self._calls.met_in_place)
        )


class Paired(nn.Module):
    """A rule module that takes what its model takes: each row is its own baseline."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *rows: Tensor) -> Tensor:
        out: Tensor = self.module(rows, tuple(row.clone() for row in rows))
        return out


class _Calls(TorchFunctionMode):
    """Applies a rule to activations, and, where it is entered, to calls of activation functions."""

    def __init__(self, rule: ActivationRule, way: RuleWay) -> None:
        super().__init__()
        self._rule = rule
        self._write_back = way.write_back
        self.met_function = False  # a call of a function followed the rule
        self.met_in_place = False  # an activation was in place
        self._layers: dict[Hashable, nn.Module | None] = {}  # by the key of the call that they replace
        self._applying = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = None if self._applying else read_call(func, args, kwargs or {})
        layer = None if call is None else self._layer(call)
        if call is None or layer is None:
            return func(*args, **(kwargs or {}))
        self.met_function = True
        return self.apply(layer, call.operands[0], in_place=call.in_place)

    def _layer(self, call: LayerCall) -> nn.Module | None:
        """The module that computes what the call does; None for one that the rule does not cover."""
        if call.key not in self._layers:
            layer = build_layer(call)
            self._layers[call.key] = layer if self._rule.covers(layer) else None
        return self._layers[call.key]

    def apply(self, layer: nn.Module, x: Tensor, *, in_place: bool) -> Tensor:
        """The output of a layer whose backward follows the rule."""
        self.met_in_place |= in_place
        write_back = in_place and self._write_back
        self._applying = True
        try:
            out = self._rule.apply(layer, partial(type(layer).forward, layer), x.clone() if write_back else x)
        finally:
            self._applying = False
        return overwrite(x, out) if write_back else out


class _Activation:
    """Takes the place of the forward of an activation module."""

    def __init__(self, layer: nn.Module, calls: _Calls) -> None:
        self._layer = layer
        self._calls = calls
        self._in_place = bool(getattr(layer, "inplace", False))
        if self._in_place:
            layer.inplace = False  # type: ignore[assignment]

    def __call__(self, x: Tensor) -> Tensor:
        return self._calls.apply(self._layer, x, in_place=self._in_place)
