"""The steps that add proven copies of the module: the optimized one for passes, the hookable one for hook methods, and
the rule modules, which take the place of hooks in passes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog
from torch import nn

from schemas.methods import METHODS, BackwardRule
from workers.engine.device.tf32 import without_tf32
from workers.engine.view import ModelView
from workers.models.measurements.measured import Disproved, Measured
from workers.models.stages import HookableModel, OptimizedModel, ProbedModel, RuledModel
from workers.tracing.equivalence import compare
from workers.tracing.index_columns import index_columns
from workers.tracing.samples import Tensors, first_row, is_large, neighbours, stacked
from workers.tracing.self_contained import is_self_contained
from workers.tracing.shared_copy import shared_copy
from workers.transform.hookable import repeat_way
from workers.transform.hookable.hookable_module import HookableChoice, make_hookable, text_defects, without_relu
from workers.transform.optimize import optimize, repeat_steps
from workers.transform.optimize.layout_race import is_faster
from workers.transform.rules import (
    NEW_RULES,
    Paired,
    RuleChoice,
    RuleWay,
    make_rule_modules,
    repeat_rule_module,
)

log = structlog.get_logger()


def add_optimized_module(probed: ProbedModel) -> OptimizedModel:
    """Adds a cheaper equal copy for shared passes, where one is found. A model that runs alone is left as it is.

    Raises:
        Disproved: what is known of the copy does not hold.
    """
    if probed.execution.alone:
        return _optimized(probed, probed.view, None)
    view, device, known = probed.view, probed.loaded.device, probed.loaded.known
    samples = _proof_samples(probed.execution.draws)
    if known is not None:
        columns = tuple(known.index_columns)
        optimized = _repeated(view, samples, known, _row_of_steps(probed))
        return _optimized(probed, replace(view, index_columns=columns, optimized=optimized), ())
    faster = partial(is_faster, view, probed.sample_tensors, device.gate, device.threads)
    found = optimize(view.module, samples, view.input_count, faster, _smaller_samples(probed))
    view = replace(view, index_columns=_index_columns(probed), optimized=found.module)
    return _optimized(probed, view, found.steps if found.conclusive else None)


@without_tf32()  # the proof of a copy compares outputs closely
def add_hookable_module(optimized: OptimizedModel) -> HookableModel:
    """Adds a copy that hook methods are right on, where the model itself is not and one can be made.

    Raises:
        Disproved: what is known of the copy does not hold.
    """
    choice = _hookable_copy(optimized)
    return HookableModel(
        optimized.loaded,
        optimized.embeddings,
        optimized.execution,
        replace(optimized.view, hookable=choice.module),
        optimized.steps,
        choice.defects,
        rewrite=choice.way,
        examined=choice.examined,
    )


def add_rule_modules(hookable: HookableModel) -> RuledModel:
    """Adds a rule module for each backward rule that hooks are right for, where one is found that equals the hooks. A
    model that runs alone has none: its methods with hooks are refused.

    Where a proof takes seconds, it is left for later. Until then the methods take the solo lane, where hooks are right.

    Raises:
        Disproved: what is known of a module does not hold.
    """
    later = _later(hookable)
    choice = _rule_modules(hookable) if later is None else None
    # A mapping of this model alone: its modules are added once they are proven.
    modules = {} if choice is None else dict(choice.modules)
    return RuledModel(
        hookable.loaded,
        hookable.embeddings,
        hookable.execution,
        replace(hookable.view, rule_modules=modules),
        hookable.steps,
        hookable.defects,
        hookable.rewrite,
        hookable.examined,
        rules=choice,
        prove_rules=later,
    )


def _later(hookable: HookableModel) -> Callable[[], RuleChoice] | None:
    """The work of `_rule_modules`, which may run beside jobs; None where it is quick, checked only, or cannot be set
    apart from the model's jobs: neither may see the other's hooks and values."""
    view = hookable.view
    is_quick = hookable.loaded.known is not None or not is_large(first_row(hookable.sample_tensors))
    if is_quick or not _has_rules(hookable) or view.layer_module is not view.module:
        return None
    if not is_self_contained(view.module):
        return None
    try:
        apart = _set_apart(hookable)
    except Exception as error:  # a part of the model that cannot be copied
        log.info("rule modules are proven before jobs", error=type(error).__name__)
        return None

    def prove() -> RuleChoice:
        try:
            return _rule_modules(apart)
        except Exception as error:  # the model's own code may raise anything
            reason = f"{type(error).__name__}: {error}"
            return RuleChoice({}, {}, dict.fromkeys(NEW_RULES, reason), conclusive=False)

    return prove


def _set_apart(hookable: HookableModel) -> HookableModel:
    """With copies of the modules that jobs hook. They share their weights, and have hooks of their own."""
    view = hookable.view
    copied = shared_copy(nn.ModuleList([view.module, *([] if view.hookable is None else [view.hookable])]))
    module, *others = copied
    optimized = module if view.optimized is view.module else view.optimized
    own = replace(view, module=module, layer_module=module, optimized=optimized, hookable=others[0] if others else None)
    return replace(hookable, view=own)


def _has_rules(hookable: HookableModel) -> bool:
    inputs = hookable.loaded.sample.inputs
    return not hookable.execution.alone and all(tensor.is_floating_point() for tensor in inputs)


def _rule_modules(hookable: HookableModel) -> RuleChoice:
    view, steps, known = hookable.view, hookable.steps, hookable.loaded.known
    if not _has_rules(hookable):
        return RuleChoice({}, {}, {})
    samples = _proof_samples(hookable.execution.draws)
    if known is not None:
        ways = {rule: RuleWay(tuple(used), *how) for rule, (used, *how) in known.rules.items()}
        row = _row_of_steps(hookable)
        modules = {rule: repeat_rule_module(view, known.steps, rule, way, row) for rule, way in ways.items()}
        for rule, module in modules.items():
            _check(view.module, Paired(module), samples[0], rule)
        return RuleChoice(modules, ways, {})
    defects = set(hookable.defects)
    try:
        unguided = without_relu(view.hook_module, hookable.sample_tensors)
    except Exception as error:  # the model's own code; each of its jobs will say where it fails
        log.warning("model cannot be examined for rules", error=type(error).__name__)
        return RuleChoice({}, {}, {})
    if unguided is not None:  # guided methods are refused
        defects.add("guided")
    rules: list[BackwardRule] = [
        rule
        for rule, family in sorted({(one.backward_rule, one.rules) for one in METHODS.values() if one.backward_rule})
        if family not in defects
    ]
    if steps is None:  # how the optimized module was made is not known
        view, steps = replace(view, optimized=None), ()
    return make_rule_modules(view, steps, rules, samples, _smaller_samples(hookable))


def _optimized(probed: ProbedModel, view: ModelView, steps: tuple[str, ...] | None) -> OptimizedModel:
    return OptimizedModel(probed.loaded, probed.embeddings, probed.execution, view, steps)


@without_tf32()  # as the proof
def _repeated(view: ModelView, samples: list[Tensors], known: Measured, row: Tensors) -> nn.Module:
    """The optimized copy that an earlier load has proven, compared with the module on one of the random rows."""
    if not known.steps:
        return view.module
    copied = repeat_steps(view.module, known.steps, row, view.input_count)
    _check(view.module, copied, samples[0], "optimized")
    return copied


def _check(module: nn.Module, copied: nn.Module, sample: Tensors, name: str) -> None:
    reason = compare(module, copied, [sample], gradients=False)
    if reason is not None:
        raise Disproved(f"the {name} copy: {reason}")


def _hookable_copy(probed: ProbedModel) -> HookableChoice:
    """The copy, and why families of hook methods are still wrong on it."""
    known, view, sample = probed.loaded.known, probed.view, probed.sample_tensors
    if known is not None:
        if known.rewrite is None:
            return HookableChoice(None, {})
        copied = repeat_way(view.module, sample, view.input_count, known.rewrite, probed.execution.smaller)
        _check(view.module, copied, list(neighbours(first_row(sample)))[1], "hookable")
        return HookableChoice(copied, {}, known.rewrite)
    if probed.execution.alone:
        return HookableChoice(None, {})
    if probed.loaded.config.input.kind == "text":
        return HookableChoice(None, text_defects(view))
    return make_hookable(view, probed.loaded.sample, probed.execution.smaller)


def _index_columns(probed: ProbedModel) -> tuple[tuple[int, int], ...]:
    """The elements of the inputs that are indices. A text model takes embeddings, which hold none."""
    if probed.loaded.config.input.kind == "text":
        return ()
    rows = [row for rows in probed.execution.draws for row in rows]
    return tuple(index_columns(probed.view.module, rows, probed.view.input_count))


def _smaller_samples(probed: ProbedModel) -> list[Tensors] | None:
    """As `_proof_samples`, at a smaller size: a row of the first draw, and a batch with a row of each other draw. None
    where no such size is known."""
    draws = probed.execution.smaller_draws
    if not draws:
        return None
    first, *others = draws
    return [first[0], stacked([rows[0] for rows in others] or first[-1:])]


def _row_of_steps(probed: ProbedModel) -> Tensors:
    """A row that steps are repeated on, which look at operations alone: of a smaller size, where one is known."""
    row, smaller = first_row(_proof_samples(probed.execution.draws)[0]), probed.execution.smaller
    return row if smaller is None else smaller.cut(row)


def _proof_samples(draws: list[list[Tensors]]) -> list[Tensors]:
    """The rows that a copy is proven equal on: single rows of every draw, and a batch of two."""
    first, *others = draws
    batch = stacked(first[1:3]) if len(first) > 2 else first[0]
    return [first[0], batch, first[-1], *(row for rows in others for row in rows[:2])]
