"""Makes a hookable module: each activation call becomes a call of a module of its own."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.methods.captum_changes.deep_lift_rules import RULES, ClippedReLU
from workers.methods.captum_changes.lrp_rules import PASSED_THROUGH, WITH_RULES
from workers.tracing.equivalence import why_not_equal
from workers.tracing.module_names import STANDS_FOR, named
from workers.tracing.samples import Tensors, cloned, first_row, leaves, neighbours
from workers.tracing.shared_copy import shared_copy
from workers.tracing.smaller_rows import SmallerSize
from workers.tracing.trace import observe
from workers.transform.hookable.defects import hook_defects, own_input_needed
from workers.transform.hookable.operations import moves
from workers.transform.hookable.routing import Router
from workers.transform.hookable.stand_ins import CallSequence, WithLayers, WriteBack
from workers.transform.replace_modules import replace_modules

_WITH_RULES = (*RULES, *WITH_RULES, *PASSED_THROUGH)
Way = tuple[bool, bool]
# The simplest way first. Others serve models that read overwritten tensors, or that run or list their children.
WAYS: tuple[Way, ...] = ((False, False), (True, False), (False, True), (True, True))


@dataclass(frozen=True, slots=True)
class HookableModule:
    """A model with a module for each activation call.

    Attributes:
        module: a copy that shares all parameters and buffers and runs one forward at a time. The original itself, if
            there was nothing to change or the copy failed.
        changed: what was changed, one line each, by path.
        reason: why no copy could be made.
        way: how the copy was made: whether calls write back in place, and whether layers lie outside of the model.
        failed: a way that was tried raised.
    """

    module: nn.Module
    changed: list[str]
    reason: str | None
    way: Way | None = None
    failed: bool = False


def separate_activations(
    module: nn.Module, sample: Tensors, attributed: int | None = None, smaller: SmallerSize | None = None
) -> HookableModule:
    """Returns a copy in which Captum's hook methods find a separate module for every activation call.

    The copy is proven equal to the model on the sample and on random neighbours. If the model reads a tensor that an
    in-place call has overwritten, the copy overwrites it too.

    Args:
        module: in evaluation mode; it is not changed.
        sample: what the model takes, one row or more.
        attributed: number of leading tensors that attributions are for; None: all.
        smaller: a size at which the model computes the same. The copy is then made and proven there, and checked on the
            sample and a neighbour.
    """
    if not any(tensor.is_floating_point() for tensor in sample[:attributed]):
        return HookableModule(module, [], "no input is floating point, so nothing carries a gradient")
    for path, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            return HookableModule(module, [], f"{path or 'the model'} is TorchScript, whose code cannot be rewritten")
    samples = list(neighbours(first_row(sample)))
    cut = None if smaller is None else _cut(samples, smaller)
    few = samples if cut is None else samples[:2]
    reason: str | None = None
    failed = False
    for way in WAYS:
        try:
            hookable, changed = _rewrite(module, cut or samples, attributed, way)
        except Exception as error:  # the model's own code, or a part that cannot be copied
            failed, reason = True, reason or f"{type(error).__name__}: {error}"
            continue
        if not changed:
            return HookableModule(module, [], None)
        difference = why_not_equal(module, hookable, few, attributed, smaller=cut and cut[1:3])
        if difference is None:
            return HookableModule(hookable, changed, None, way)
        reason = reason or difference
    return HookableModule(module, [], reason, failed=failed)


def repeat_way(
    module: nn.Module, sample: Tensors, attributed: int | None, way: Way, smaller: SmallerSize | None = None
) -> nn.Module:
    """The copy that `separate_activations` made in this way before; it is not proven.

    Raises:
        Exception: the copy cannot be made, as it was before.
    """
    samples = list(neighbours(first_row(sample)))
    return _rewrite(module, samples if smaller is None else _cut(samples, smaller), attributed, way)[0]


def _cut(samples: list[Tensors], smaller: SmallerSize) -> list[Tensors]:
    """A row, a neighbour, both: a model that has a smaller size looks at no value, so that these show all its calls."""
    return [smaller.cut(sample) for sample in samples[:3]]


def _rewrite(
    module: nn.Module, samples: list[Tensors], attributed: int | None, way: Way
) -> tuple[nn.Module, list[str]]:
    write_back, _ = way
    router = Router(*way)
    copied = shared_copy(module)
    changed: list[str] = []
    copied = _replace(copied, _most_calls(copied, samples[:3], attributed), changed, write_back)
    router.attach(copied, {part for part in copied.modules() if _is_layer(part)})
    router.growing = True
    with torch.enable_grad():
        for sample in samples:
            copied(*cloned(leaves(sample, attributed)))
    router.growing = False
    if router.outside_layers:
        copied = WithLayers(copied, router.outside_layers).eval()
    changed += [f"{path}: was a function call" for path in router.added]
    changed += _give_own_inputs(copied, samples[0], attributed)
    changed += _let_relevance_pass(copied, samples[0], attributed)
    return copied, changed


def _is_layer(module: nn.Module) -> bool:
    """True for a module that is one operation, not a composition of modules."""
    own = type(module).__module__.startswith("torch.nn.") or type(module) in _WITH_RULES
    return own and not any(module.children())


def _most_calls(module: nn.Module, samples: list[Tensors], attributed: int | None) -> Counter[nn.Module]:
    """For each module, the largest number of calls in one forward."""
    most: Counter[nn.Module] = Counter()
    parts = dict(module.named_modules())
    for sample in samples:
        most |= Counter({parts[path]: count for path, count in observe(module, sample, attributed).calls.items()})
    return most


def _replace(root: nn.Module, calls: Counter[nn.Module], changed: list[str], write_back: bool) -> nn.Module:
    """Replaces layers on which Captum is wrong by modules on which it is right."""
    new: dict[nn.Module, nn.Module] = {}
    for path, part in root.named_modules():
        if not _is_layer(part):
            continue
        replacement, why = _replacement(part, calls[part], write_back)
        if why:
            vars(replacement)[STANDS_FOR] = named(path, part)
            new[part] = replacement
            changed.append(f"{path or 'the model'}: {', '.join(why)}")
    return replace_modules(root, new)


def _replacement(layer: nn.Module, calls: int, write_back: bool) -> tuple[nn.Module, list[str]]:
    """The module that replaces a layer, and why; the layer itself and no reason where it may stay."""
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
        layer = CallSequence([layer, *(shared_copy(layer) for _ in range(calls - 1))])
        why.append(f"was called {calls} times")
    return layer.eval(), why


def _give_own_inputs(root: nn.Module, sample: Tensors, attributed: int | None) -> list[str]:
    """Gives modules a view of their input, where Captum's hook on it would see gradients of other modules as well."""
    paths = own_input_needed(root, observe(root, sample, attributed))
    for path in paths:
        root.get_submodule(path).register_forward_pre_hook(_own_input)
    return [f"{path}: shared its input with others" for path in paths]


def _own_input(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(arg.view_as(arg) if isinstance(arg, Tensor) else arg for arg in args)


def _let_relevance_pass(root: nn.Module, sample: Tensors, attributed: int | None) -> list[str]:
    """Lets LRP pass layers that only move values or do not run, if this makes LRP right.

    LRP requires a rule for every module without children, even for nn.Identity and nn.Flatten. It lets relevance pass
    nn.Dropout unchanged, so these modules get an nn.Dropout as a child that never runs.
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
