"""Finds what Captum's hook methods would get wrong on a module, by running it."""

from collections.abc import Iterator

from torch import nn

from schemas.sentences import Sentence, words
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
            yield Sentence("{layer} gets values whose first dimension is not the batch", layer=labelled(root, path))
    for operation in seen.operations:
        reason = None if operation.owner in bends else why_not_linear(operation)
        if reason is not None:
            yield Sentence(
                "{layer} {reason}; DeepLIFT would use the plain gradient there",
                layer=labelled(root, operation.owner),
                reason=words(reason),
            )
    for path, function in seen.decisions:
        yield Sentence(
            "{layer} takes a decision that depends on the input ({function})",
            layer=labelled(root, path),
            function=function,
        )


def _guided(root: nn.Module, seen: Observation) -> Iterator[str]:
    relus = _relus(root)
    yield from _called_wrongly(root, seen, relus, relus)
    yield from _chained(root, seen, relus)
    for operation in seen.operations:
        if operation.owner not in relus and operation.name in ("Relu", "Hardtanh", "Clamp", "ClampMin", "Threshold"):
            yield Sentence(
                "{layer} computes {operation} outside of an nn.ReLU",
                layer=labelled(root, operation.owner),
                operation=operation.name,
            )


def _lrp(root: nn.Module, seen: Observation) -> Iterator[str]:
    leaves = {path: part for path, part in root.named_modules() if path and not any(part.children())}
    layers, flat = _lrp_layers(root), _lrp_flat(root)
    for path, part in leaves.items():
        if path not in layers and not hasattr(part, "rule"):
            yield Sentence("{layer} is a layer without a rule", layer=labelled(root, path))
    yield from _called_wrongly(root, seen, layers, flat)
    for operation in seen.operations:
        if operation.owner not in leaves and not moves(operation):
            yield Sentence(
                "{layer} computes {operation} outside of any layer with a rule",
                layer=labelled(root, operation.owner),
                operation=operation.name,
            )
    for path in leaves:
        if path in layers - flat and _mixes(path, seen, layers - flat):
            yield Sentence("{layer} shares its input with what has no rule", layer=labelled(root, path))
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
            yield Sentence(
                "{layer} is called {calls} times in one forward", layer=labelled(root, path), calls=seen.calls[path]
            )
        elif path in seen.without_gradient:
            yield Sentence(
                "{layer} gets values that do not depend on the input, where its hook fails", layer=labelled(root, path)
            )
        elif path in replaced and _shared(path, seen):
            yield Sentence(
                "{layer} takes a value that others take too, whose gradient would be replaced as well",
                layer=labelled(root, path),
            )


def _chained(root: nn.Module, seen: Observation, hooked: set[str]) -> Iterator[str]:
    """Hooked modules that directly follow another hooked module."""
    for path, _ in root.named_modules():
        if path in hooked and (maker := _follows(path, seen, hooked)) is not None:
            yield Sentence(
                "{layer} directly follows {maker}, whose hook would not see what comes from here",
                layer=labelled(root, path),
                maker=maker,
            )


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
    if len(unique) == 1:
        return unique[0]
    return Sentence("{reason} (and {count} more)", reason=words(unique[0]), count=len(unique) - 1)
