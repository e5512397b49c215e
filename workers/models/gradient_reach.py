"""Between which layers, outputs and inputs a gradient leads, and which units have an nn.ReLU before them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from schemas.models import Side
from workers.engine.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.tracing.samples import enter, leaves, tensors_in

Node = Any  # of autograd's graph
Place = tuple[str, Side]  # a layer's name, and its side
Change = Callable[[Any, str, Side], Any]  # a layer's value, its name and which side it is; None leaves it as it is


@dataclass(frozen=True, slots=True)
class Reach:
    """Of layers by name, the sides where something is missing. Layers that were not seen are in none of them.

    Attributes:
        from_output: no gradient leads from the model's outputs to the layer.
        to_input: no gradient leads from the layer to the model's inputs.
        relu: no nn.ReLU lies between the model's inputs and the layer.
        sides: those that were seen, without inputs of layers that are the model's own inputs: at these, a method at a
            layer answers for no layer.
    """

    from_output: dict[str, list[Side]]
    to_input: dict[str, list[Side]]
    relu: dict[str, list[Side]]
    sides: tuple[Place, ...]

    def any_layer(self, *lacking: dict[str, list[Side]]) -> bool:
        """Whether a side of some layer lacks none of these, or nothing is known."""
        free = (all(side not in of.get(name, ()) for of in lacking) for name, side in self.sides)
        return not self.sides or any(free)


UNKNOWN = Reach({}, {}, {}, ())


def gradient_reach(view: ModelView, sample: Prepared) -> Reach:
    """Tests the model on its sample, as Captum takes gradients: at a layer, of the tensors that it takes or gives.

    A model that takes integers, or that cannot be tested, is `UNKNOWN`.
    """
    if not all(tensor.is_floating_point() for tensor in sample.inputs):
        return UNKNOWN
    tensors = (*sample.inputs, *sample.additional_forward_args)
    names = [name for name, layer in view.layer_module.named_modules() if name and takes_hooks(layer)]
    try:
        layers = {name: view.layer_behind_entry(name) for name in names}
        from_output = _from_output(view, layers, tensors)
        given = enter(leaves(tensors, view.inputs))
        to_input, _, own = _seen(view.module, layers, given)
        relu = _without_relu(view, names, tensors)
    except Exception:  # the model's own code; a method that is tried says what it raises
        return UNKNOWN
    return Reach(from_output, _lacking(to_input), relu, tuple(place for place in to_input if place not in own))


def _from_output(view: ModelView, layers: dict[str, nn.Module], tensors: tuple[Tensor, ...]) -> dict[str, list[Side]]:
    """Captum has a layer's tensors require a gradient, so a cut before the layer does not count."""
    kept: list[tuple[str, Side, Tensor]] = []

    def keep(value: Any, name: str, side: Side) -> Any:
        found = [tensor for tensor in tensors_in(value) if tensor.is_floating_point() or tensor.is_complex()]
        kept.extend((name, side, one if one.requires_grad else one.requires_grad_()) for one in found)
        return _copied(value)

    with _changed(layers, keep), torch.enable_grad():
        out = view.module(*enter(leaves(tensors, view.inputs)))
    if not out.requires_grad:
        return _lacking({(name, side): False for name, side, _ in kept})
    gradients = torch.autograd.grad(out.sum(), [tensor for _, _, tensor in kept], allow_unused=True)
    found: dict[Place, bool] = {}
    for (name, side, _), gradient in zip(kept, gradients, strict=True):
        found[name, side] = found.get((name, side), False) or gradient is not None
    return _lacking(found)


def _without_relu(view: ModelView, names: list[str], tensors: tuple[Tensor, ...]) -> dict[str, list[Side]]:
    """Of the module that guided methods hook: sides whose graph holds the output of no nn.ReLU."""
    module = view.hook_module
    layers = {name: view.hook_layer(name) for name in names}
    ran: set[Node] = set()

    def note(_part: nn.Module, _args: object, out: Any) -> None:
        ran.update(tensor.grad_fn for tensor in tensors_in(out) if tensor.grad_fn is not None)

    handles = [part.register_forward_hook(note) for part in module.modules() if isinstance(part, nn.ReLU)]
    try:
        _, nodes, _ = _seen(module, layers, enter(leaves(tensors, view.inputs)))
    finally:
        for handle in handles:
            handle.remove()
    behind: dict[Node, bool] = dict.fromkeys(ran, True)
    return _lacking({place: any(_is_behind(node, behind) for node in found) for place, found in nodes.items()})


def _is_behind(node: Node, known: dict[Node, bool]) -> bool:
    """Whether a node that is known lies on some way from this node to the leaves; what is found is added to `known`."""
    stack = [node]
    while stack:
        one = stack[-1]
        before = [other for other, _ in one.next_functions if other is not None]
        unknown = [] if one in known else [other for other in before if other not in known]
        if unknown:
            stack.extend(unknown)
            continue
        stack.pop()
        if one not in known:
            known[one] = any(known[other] for other in before)
    return known[node]


def _seen(
    module: nn.Module, layers: dict[str, nn.Module], tensors: tuple[Tensor, ...]
) -> tuple[dict[Place, bool], dict[Place, list[Node]], set[Place]]:
    """Of each side of each layer, whether it carries a gradient to the inputs, and its nodes in the graph; and the
    sides that are the inputs themselves."""
    carries: dict[Place, bool] = {}
    nodes: dict[Place, list[Node]] = {}
    own: set[Place] = set()

    def note(value: Any, name: str, side: Side) -> None:
        found = list(tensors_in(value))
        if not found:  # what a layer takes by name is not seen
            return
        carries[name, side] = carries.get((name, side), False) or any(tensor.requires_grad for tensor in found)
        nodes.setdefault((name, side), []).extend(t.grad_fn for t in found if t.grad_fn is not None)
        if side == "input" and any(one is tensor for one in found for tensor in tensors):
            own.add((name, side))

    with _changed(layers, note), torch.enable_grad():
        module(*tensors)
    return carries, nodes, own


@contextmanager
def _changed(layers: dict[str, nn.Module], change: Change) -> Iterator[None]:
    """While this is entered, `change` sees what layers take and give, and may give something else for it."""

    def take(name: str) -> Callable[[nn.Module, Any], Any]:
        return lambda _layer, args: change(args, name, "input")

    def give(name: str) -> Callable[[nn.Module, Any, Any], Any]:
        return lambda _layer, _args, out: change(out, name, "output")

    handles = [
        handle
        for name, layer in layers.items()
        for handle in (layer.register_forward_pre_hook(take(name)), layer.register_forward_hook(give(name)))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _copied(value: Any) -> Any:
    """Copies of tensors, so that what comes after may overwrite them."""
    if isinstance(value, Tensor):
        return value.clone()
    return type(value)(_copied(item) for item in value) if type(value) in (tuple, list) else value


def _lacking(found: dict[Place, bool]) -> dict[str, list[Side]]:
    lacking: dict[str, list[Side]] = {}
    for (name, side), there in found.items():
        if not there:
            lacking.setdefault(name, []).append(side)
    return lacking
