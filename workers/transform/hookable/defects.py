"""Finds what Captum's hook methods would get wrong on a module, by running it."""

from collections.abc import Iterator

from torch import nn

from workers.methods.captum_changes.deep_lift_rules import RULES
from workers.methods.captum_changes.lrp_rules import PASSED_THROUGH, WITH_RULES
from workers.tracing.module_names import labelled
from workers.tracing.samples import Tensors, first_row, stacked
from workers.tracing.trace import Observation, observe
from workers.transform.hookable.operations import moves, why_not_linear


def hook_defects(module: nn.Module, sample: Tensors, attributed: int | None = None) -> dict[str, str]:
    """Why families of methods are wrong on this module, by family; a family that is right has no entry.

    The family `deep_lift` is DeepLift and DeepLiftShap, `guided` is GuidedBackprop and Deconvolution, `lrp` is LRP.

    Args:
        sample: what the module takes, one row or more.
        attributed: number of leading tensors that attributions are for; None: all.

    Raises:
        Whatever the module raises.
    """
    if not any(tensor.is_floating_point() for tensor in sample[:attributed]):
        return dict.fromkeys(("deep_lift", "guided", "lrp"), "the inputs are integers, without a gradient")
    sample = first_row(sample)
    seen = observe(module, sample, attributed)
    twice = observe(module, stacked([sample, sample]), attributed)
    found = {
        "deep_lift": list(_deep_lift(module, seen, twice)),
        "guided": list(_guided(module, seen)),
        "lrp": list(_lrp(module, seen)),
    }
    return {family: _summary(reasons) for family, reasons in found.items() if reasons}


def lacks_lrp_rules(module: nn.Module) -> bool:
    """Whether LRP has no rule for some layer with weights. A hookable copy does not change that."""
    layers = _lrp_layers(module)
    return any(
        path not in layers and not hasattr(part, "rule") and any(True for _ in part.parameters())
        for path, part in module.named_modules()
        if not any(part.children())
    )


def own_input_needed(root: nn.Module, seen: Observation) -> list[str]:
    """Paths of modules on which methods are right only if no other module uses their input."""
    bends, relus, layers, flat = _bends(root), _relus(root), _lrp_layers(root), _lrp_flat(root)
    return [
        path
        for path, _ in root.named_modules()
        if (path in bends | relus | flat and _shared(path, seen))
        or any(path in hooked and _follows(path, seen, hooked) is not None for hooked in (bends, relus))
        or (path in layers - flat and _mixes(path, seen, layers - flat))
    ]


def _deep_lift(root: nn.Module, seen: Observation, twice: Observation) -> Iterator[str]:
    bends = _bends(root)
    yield from _called_wrongly(root, seen, bends, bends)
    yield from _chained(root, seen, bends)
    for path, _ in root.named_modules():
        if path not in bends or path not in seen.calls:
            continue
        if seen.rows.get(path) and twice.rows.get(path) != 2 * seen.rows[path]:
            yield f"{labelled(root, path)} gets values whose first dimension is not the batch"
    for operation in seen.operations:
        reason = None if operation.owner in bends else why_not_linear(operation)
        if reason is not None:
            yield f"{labelled(root, operation.owner)} {reason}; DeepLIFT would use the plain gradient there"
    for path, function in seen.decisions:
        yield f"{labelled(root, path)} takes a decision that depends on the input ({function})"


def _guided(root: nn.Module, seen: Observation) -> Iterator[str]:
    relus = _relus(root)
    yield from _called_wrongly(root, seen, relus, relus)
    yield from _chained(root, seen, relus)
    for operation in seen.operations:
        if operation.owner not in relus and operation.name in ("Relu", "Hardtanh", "Clamp", "ClampMin", "Threshold"):
            yield f"{labelled(root, operation.owner)} computes {operation.name} outside of an nn.ReLU"


def _lrp(root: nn.Module, seen: Observation) -> Iterator[str]:
    leaves = {path: part for path, part in root.named_modules() if path and not any(part.children())}
    layers, flat = _lrp_layers(root), _lrp_flat(root)
    for path, part in leaves.items():
        if path not in layers and not hasattr(part, "rule"):
            yield f"{labelled(root, path)} is a layer without a rule"
    yield from _called_wrongly(root, seen, layers, flat)
    for operation in seen.operations:
        if operation.owner not in leaves and not moves(operation):
            yield f"{labelled(root, operation.owner)} computes {operation.name} outside of any layer with a rule"
    for path in leaves:
        if path in layers - flat and _mixes(path, seen, layers - flat):
            yield f"{labelled(root, path)} shares its input with what has no rule"
    if not leaves:
        yield "the model has no layers"


def _bends(root: nn.Module) -> set[str]:
    """Paths of the modules that DeepLIFT hooks."""
    return {path for path, part in root.named_modules() if type(part) in RULES}


def _relus(root: nn.Module) -> set[str]:
    """Paths of the modules that guided backpropagation and deconvolution hook."""
    return {path for path, part in root.named_modules() if isinstance(part, nn.ReLU)}


def _lrp_layers(root: nn.Module) -> set[str]:
    """Paths of the modules that LRP hooks."""
    kinds = (*WITH_RULES, *PASSED_THROUGH)
    return {path for path, part in root.named_modules() if type(part) in kinds}


def _lrp_flat(root: nn.Module) -> set[str]:
    """Paths of the modules that LRP passes relevance through unchanged."""
    return {path for path, part in root.named_modules() if type(part) in PASSED_THROUGH}


def _called_wrongly(root: nn.Module, seen: Observation, hooked: set[str], replaced: set[str]) -> Iterator[str]:
    """Calls for which hooks are wrong.

    Args:
        hooked: paths of the modules with hooks.
        replaced: those of them at whose input the gradient is replaced.
    """
    for path in (path for path, _ in root.named_modules() if path in hooked):
        if seen.calls[path] > 1:
            yield f"{labelled(root, path)} is called {seen.calls[path]} times in one forward"
        elif path in seen.without_gradient:
            yield f"{labelled(root, path)} gets values that do not depend on the input, where its hook fails"
        elif path in replaced and _shared(path, seen):
            yield f"{labelled(root, path)} takes a value that others take too, whose gradient would be replaced as well"


def _chained(root: nn.Module, seen: Observation, hooked: set[str]) -> Iterator[str]:
    """Hooked modules that directly follow another hooked module."""
    for path, _ in root.named_modules():
        if path in hooked and (maker := _follows(path, seen, hooked)) is not None:
            yield f"{labelled(root, path)} directly follows {maker}, whose hook would not see what comes from here"


def _shared(path: str, seen: Observation) -> bool:
    """Whether other modules use the input too: Captum's hook is on that tensor and sees their gradients as well."""
    return any(len(takers) > 1 for takers in seen.takers.get(path, ()))


def _follows(path: str, seen: Observation, hooked: set[str]) -> str | None:
    """The hooked module whose output is the input of this one. Its hook is on the same tensor and runs first."""
    return next(iter((seen.makers.get(path, set()) & hooked) - {path}), None)


def _mixes(path: str, seen: Observation, with_rules: set[str]) -> bool:
    """Whether modules without rules use the input too: LRP multiplies the sum of all relevance there by its value."""
    return any(len(takers) > 1 and not with_rules.issuperset(takers) for takers in seen.takers.get(path, ()))


def _summary(reasons: list[str]) -> str:
    unique = list(dict.fromkeys(reasons))
    return unique[0] if len(unique) == 1 else f"{unique[0]} (and {len(unique) - 1} more)"
