"""What Captum's hook methods would get wrong on a module, found by running it."""

from collections.abc import Iterator

from torch import nn

from workers.methods.deep_lift_rules import RULES
from workers.methods.lrp_rules import PASSED_THROUGH, WITH_RULES
from workers.tracing.samples import Tensors, doubled, first_row, labelled
from workers.tracing.trace import Observation, observe
from workers.transform.hookable.operations import moves, why_not_linear


def hook_defects(module: nn.Module, sample: Tensors, attributed: int | None = None) -> dict[str, str]:
    """Why a family of methods is not right on this module; a family that is has no entry.

    `deep_lift` is DeepLift and DeepLiftShap, `guided` GuidedBackprop and Deconvolution, `lrp` LRP. `sample` is what the
    module takes, with at least one row; the first `attributed` tensors (all if None) are what attributions are for.

    Raises:
        Whatever the module raises.
    """
    if not any(tensor.is_floating_point() for tensor in sample[:attributed]):
        return dict.fromkeys(("deep_lift", "guided", "lrp"), "the inputs are integers, without a gradient")
    sample = first_row(sample)
    seen = observe(module, sample, attributed)
    twice = observe(module, doubled(sample, sample), attributed)
    found = {
        "deep_lift": list(_deep_lift(module, seen, twice)),
        "guided": list(_guided(module, seen)),
        "lrp": list(_lrp(module, seen)),
    }
    return {family: _summary(reasons) for family, reasons in found.items() if reasons}


def lacks_lrp_rules(module: nn.Module) -> bool:
    """True where LRP has no rule for a layer with weights: no rewriting of calls gives it one."""
    layers = _lrp_layers(module)
    return any(
        path not in layers and not hasattr(part, "rule") and any(True for _ in part.parameters())
        for path, part in module.named_modules()
        if not any(part.children())
    )


def own_input_needed(root: nn.Module, seen: Observation) -> list[str]:
    """The paths of modules that are only right with an input that nothing else computes with."""
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
    """What DeepLIFT hooks."""
    return {path for path, part in root.named_modules() if type(part) in RULES}


def _relus(root: nn.Module) -> set[str]:
    """What guided backpropagation and deconvolution hook."""
    return {path for path, part in root.named_modules() if isinstance(part, nn.ReLU)}


def _lrp_layers(root: nn.Module) -> set[str]:
    """What LRP hooks."""
    kinds = (*WITH_RULES, *PASSED_THROUGH)
    return {path for path, part in root.named_modules() if type(part) in kinds}


def _lrp_flat(root: nn.Module) -> set[str]:
    """What LRP sends relevance through unchanged."""
    return {path for path, part in root.named_modules() if type(part) in PASSED_THROUGH}


def _called_wrongly(root: nn.Module, seen: Observation, hooked: set[str], replaced: set[str]) -> Iterator[str]:
    """Calls that hooks fail on; `replaced` are the modules whose gradient is replaced at their input."""
    for path in (path for path, _ in root.named_modules() if path in hooked):
        if seen.calls[path] > 1:
            yield f"{labelled(root, path)} is called {seen.calls[path]} times in one forward"
        elif path in seen.without_gradient:
            yield f"{labelled(root, path)} gets values that do not depend on the input, where its hook fails"
        elif path in replaced and _shared(path, seen):
            yield f"{labelled(root, path)} takes a value that others take too, whose gradient would be replaced as well"


def _chained(root: nn.Module, seen: Observation, hooked: set[str]) -> Iterator[str]:
    for path, _ in root.named_modules():
        if path in hooked and (maker := _follows(path, seen, hooked)) is not None:
            yield f"{labelled(root, path)} directly follows {maker}, whose hook would not see what comes from here"


def _shared(path: str, seen: Observation) -> bool:
    """True where others compute with the input of a module: Captum's hook, on that tensor, has their gradient too."""
    return any(len(takers) > 1 for takers in seen.takers.get(path, ()))


def _follows(path: str, seen: Observation, hooked: set[str]) -> str | None:
    """The hooked module whose output is the input of a module: its hook, on the same tensor, runs before this one's."""
    return next(iter((seen.makers.get(path, set()) & hooked) - {path}), None)


def _mixes(path: str, seen: Observation, with_rules: set[str]) -> bool:
    """True where relevance from elsewhere arrives at the input of a layer, which multiplies by its value."""
    return any(len(takers) > 1 and not with_rules.issuperset(takers) for takers in seen.takers.get(path, ()))


def _summary(reasons: list[str]) -> str:
    unique = list(dict.fromkeys(reasons))
    return unique[0] if len(unique) == 1 else f"{unique[0]} (and {len(unique) - 1} more)"
