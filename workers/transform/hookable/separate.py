"""The rewriting itself."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.methods.deep_lift_rules import RULES, ClippedReLU
from workers.methods.lrp_rules import PASSED_THROUGH, WITH_RULES
from workers.tracing.equivalence import verify
from workers.tracing.samples import Tensors, draws, enter, first_row, leaves
from workers.tracing.shared_copy import shared_copy
from workers.tracing.trace import observe
from workers.transform.hookable.defects import hook_defects, own_input_needed
from workers.transform.hookable.modules import Beside, Reused, WriteBack
from workers.transform.hookable.operations import moves
from workers.transform.hookable.routing import Router

_WITH_RULES = (*RULES, *WITH_RULES, *PASSED_THROUGH)


@dataclass(frozen=True, slots=True)
class HookableModule:
    """A model with a module for each activation call, and what was changed to get there, by path.

    With nothing to change, `module` is the original itself; with a `reason`, why the rewriting failed, it is too.
    Otherwise it is a copy that shares every parameter and buffer, and takes one forward at a time.
    """

    module: nn.Module
    changed: list[str]
    reason: str | None


def separate_activations(module: nn.Module, sample: Tensors, attributed: int | None = None) -> HookableModule:
    """A copy of the model on which Captum's hook methods see every activation call as a module of its own.

    `sample` is what the model takes, with at least one row; attributions are for its first `attributed` tensors (all if
    None). The model must be in evaluation mode; it is left as it was. The copy is proven equal to it on the sample and
    on random neighbours. Where a model reads a tensor that an in-place call has overwritten, the copy overwrites too.
    """
    if not any(tensor.is_floating_point() for tensor in sample[:attributed]):
        return HookableModule(module, [], "no input is floating point, so nothing carries a gradient")
    for path, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            return HookableModule(module, [], f"{path or 'the model'} is TorchScript, whose code cannot be rewritten")
    samples = list(draws(first_row(sample)))
    reason: str | None = None
    # The plainest way first; the others for models that read what was overwritten, or that list their children.
    for write_back, apart in ((False, False), (True, False), (False, True), (True, True)):
        try:
            hookable, changed = _rewrite(module, samples, attributed, Router(write_back, apart), write_back)
        except Exception as error:  # the model's own code, or a part that cannot be copied
            reason = reason or f"{type(error).__name__}: {error}"
            continue
        if not changed:
            return HookableModule(module, [], None)
        difference = verify(module, hookable, samples, attributed)
        if difference is None:
            return HookableModule(hookable, changed, None)
        reason = reason or difference
    return HookableModule(module, [], reason)


def _rewrite(
    module: nn.Module, samples: list[Tensors], attributed: int | None, router: Router, write_back: bool
) -> tuple[nn.Module, list[str]]:
    copied = shared_copy(module)
    changed: list[str] = []
    copied = _replace(copied, _most_calls(copied, samples[:3], attributed), changed, write_back)
    router.attach(copied, {part for part in copied.modules() if _is_layer(part)})
    router.growing = True
    with torch.enable_grad():
        for sample in samples:
            copied(*enter(leaves(sample, attributed)))
    router.growing = False
    if router.beside:
        copied = Beside(copied, router.beside).eval()
    changed += [f"{path}: was a function call" for path in router.added]
    changed += _give_own_inputs(copied, samples[0], attributed)
    changed += _let_relevance_pass(copied, samples[0], attributed)
    return copied, changed


def _is_layer(module: nn.Module) -> bool:
    """True for a module that is an operation rather than made of others."""
    own = type(module).__module__.startswith("torch.nn.") or type(module) in _WITH_RULES
    return own and not any(module.children())


def _most_calls(module: nn.Module, samples: list[Tensors], attributed: int | None) -> Counter[nn.Module]:
    """How often each module is called in one forward, at most."""
    most: Counter[nn.Module] = Counter()
    parts = dict(module.named_modules())
    for sample in samples:
        most |= Counter({parts[path]: count for path, count in observe(module, sample, attributed).calls.items()})
    return most


def _replace(root: nn.Module, calls: Counter[nn.Module], changed: list[str], write_back: bool) -> nn.Module:
    """Puts modules that Captum is right on in the place of those that it is not."""
    new: dict[nn.Module, nn.Module] = {}
    for path, part in root.named_modules():
        if not _is_layer(part):
            continue
        replacement, why = _replacement(part, calls[part], write_back)
        if why:
            vars(replacement)["stands_for"] = f"{path or 'the model'} ({type(part).__name__})"
            new[part] = replacement
            changed.append(f"{path or 'the model'}: {', '.join(why)}")
    for parent in list(root.modules()):
        for name, child in list(parent._modules.items()):  # under each of its names
            if child in new:
                setattr(parent, name, new[child])
    return new.get(root, root)


def _replacement(layer: nn.Module, calls: int, write_back: bool) -> tuple[nn.Module, list[str]]:
    why = []
    written = getattr(layer, "inplace", False) is True
    if written:
        layer.inplace = False  # type: ignore[assignment]
        why.append("was in place")
    if isinstance(layer, nn.Hardtanh) and layer.min_val == 0 < layer.max_val:
        layer = ClippedReLU(float(layer.max_val))
        why.append("was clipped in one step")
    if written and write_back:
        layer = WriteBack(layer)
    if calls > 1 and (isinstance(layer, _WITH_RULES) or why):
        layer = Reused([layer, *(shared_copy(layer) for _ in range(calls - 1))])
        why.append(f"was called {calls} times")
    return layer.eval(), why


def _give_own_inputs(root: nn.Module, sample: Tensors, attributed: int | None) -> list[str]:
    """Another view of their input for modules where Captum's hook would meet the gradient of others."""
    paths = own_input_needed(root, observe(root, sample, attributed))
    for path in paths:
        root.get_submodule(path).register_forward_pre_hook(_own_input)
    return [f"{path}: shared its input with others" for path in paths]


def _own_input(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(arg.view_as(arg) if isinstance(arg, Tensor) else arg for arg in args)


def _let_relevance_pass(root: nn.Module, sample: Tensors, attributed: int | None) -> list[str]:
    """Marks layers that only move values, or do not run, as such, if this is all that LRP needs.

    LRP takes every module without children for a layer that needs a rule, nn.Identity and nn.Flatten too. It lets
    relevance through nn.Dropout, so such a module is given one as a child, which nobody calls.
    """
    seen = observe(root, sample, attributed)
    computing = {operation.owner for operation in seen.operations if not moves(operation)}
    passing = [
        (path, part)
        for path, part in root.named_modules()
        if path
        and not any(part.children())
        and type(part) not in _WITH_RULES
        and path not in computing
        and (path in seen.calls or not seen.decisions)
    ]
    for _, part in passing:
        part.add_module("passes_relevance", nn.Dropout(0.0).eval())
    if "lrp" in hook_defects(root, sample, attributed):
        for _, part in passing:
            del part.passes_relevance
        return []
    return [f"{path}: lets relevance pass" for path, _ in passing]
