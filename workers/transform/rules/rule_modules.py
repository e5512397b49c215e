"""Chooses the modules that shared passes run for methods with backward rules: rule modules that are proven equal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
import torch
from torch import nn

from schemas.methods import BackwardRule
from workers.engine.device.memory import is_out_of_memory
from workers.engine.device.tf32 import without_tf32
from workers.engine.view import ModelView
from workers.tracing.equivalence import compare
from workers.tracing.samples import Tensors, first_row
from workers.transform.optimize import repeat_steps
from workers.transform.optimize.fused import use_fused_modules
from workers.transform.rules.activation_rule import ActivationRule
from workers.transform.rules.guided import GuidedRule
from workers.transform.rules.proof import ExactModel
from workers.transform.rules.rescale import RescaleRule
from workers.transform.rules.rule_module import Paired, RuleModule, RuleWay

log = structlog.get_logger()
NEW_RULES: Mapping[BackwardRule, Callable[[], ActivationRule]] = {
    "rescale": RescaleRule,
    "guided": lambda: GuidedRule(deconvolution=False),
    "deconvolution": lambda: GuidedRule(deconvolution=True),
}


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """The rule modules of a model.

    Attributes:
        modules: by rule.
        ways: by rule, how its module was made.
        reasons: by rule, why there is no module.
        conclusive: False where memory was short, so that another time may have another outcome.
    """

    modules: dict[BackwardRule, nn.Module]
    ways: dict[BackwardRule, RuleWay]
    reasons: dict[BackwardRule, str]
    conclusive: bool = True


def make_rule_modules(
    view: ModelView,
    steps: Sequence[str],
    rules: Sequence[BackwardRule],
    samples: list[Tensors],
    smaller: list[Tensors] | None = None,
) -> RuleChoice:
    """A rule module for each of `rules` for which one is found that equals Captum's hooks on the hookable module.

    The copies share the weights of the optimized module. A copy of the optimized module is tried first, then one
    without fused modules: an author may have composed an activation so that a rule sees its parts.

    Args:
        view: with its optimized and its hookable module.
        steps: that made the optimized module.
        rules: that hooks are right for.
        samples: what `view.module` takes, one row or more each.
        smaller: samples of a size at which the model computes the same operations (see
            `workers.tracing.smaller_rows`). Modules are proven on them, and their outputs compared on the first of
            `samples`. A rule for which no module is found in this way is tried on `samples`.
    """
    early = _choose(view, steps, rules, samples, smaller) if smaller else RuleChoice({}, {}, {})
    late = _choose(view, steps, [rule for rule in rules if rule not in early.modules], samples, None)
    return RuleChoice(early.modules | late.modules, early.ways | late.ways, late.reasons, late.conclusive)


def _choose(
    view: ModelView,
    steps: Sequence[str],
    rules: Sequence[BackwardRule],
    samples: list[Tensors],
    smaller: list[Tensors] | None,
) -> RuleChoice:
    if not rules:
        return RuleChoice({}, {}, {})
    errors: list[Exception] = []
    try:
        exact = ExactModel(view, smaller or samples)
    except Exception as error:  # the device has no float64, or the model is too large or cannot be copied
        reason = f"no float64 copy to prove it on: {type(error).__name__}: {error}"
        return RuleChoice({}, {}, dict.fromkeys(rules, reason), conclusive=not is_out_of_memory(error))
    choice = RuleChoice({}, {}, {})
    for rule in rules:
        reasons: list[str] = []
        refuted: list[RuleModule] = []
        for way in _ways(steps, functions_first=view.hookable is not None):
            if any(module.computes_as(way) for module in refuted):
                continue
            try:
                made = _in_float64(exact, rule, way)
                difference = _why_not(exact, rule, made)
                if difference is None:
                    used = repeat_rule_module(view, steps, rule, way, samples[0])
                    difference = _why_other_outputs(view, used, samples[0]) if smaller else None
                if difference is None:
                    choice.modules[rule], choice.ways[rule] = used, way
                    log.info("rule module made", rule=rule, steps=way.steps, functions=way.functions)
                    break
                reasons.append(difference)
                refuted.append(made)
            except Exception as error:  # the model's own code may raise anything
                errors.append(error)
                reasons.append(f"{type(error).__name__}: {error}")
        else:
            choice.reasons[rule] = reasons[0]
            log.info("no rule module", rule=rule, reason=reasons[0])
    return replace(choice, conclusive=not any(map(is_out_of_memory, errors)))


def repeat_rule_module(
    view: ModelView, steps: Sequence[str], rule: BackwardRule, way: RuleWay, sample: Tensors
) -> nn.Module:
    """The rule module that `make_rule_modules` made in this way before; it is not proven.

    Raises:
        Exception: it cannot be made, as it was before.
    """
    if way.steps == tuple(steps):
        return RuleModule(view.pass_module, NEW_RULES[rule](), way).eval()
    source = repeat_steps(view.module, way.steps, first_row(sample), view.input_count)
    share_equal_weights(source, view.pass_module)
    return RuleModule(source, NEW_RULES[rule](), way).eval()


@without_tf32()
def _in_float64(exact: ExactModel, rule: BackwardRule, way: RuleWay) -> RuleModule:
    return RuleModule(exact.after(way.steps), NEW_RULES[rule](), way).eval()


@without_tf32()
def _why_not(exact: ExactModel, rule: BackwardRule, made: RuleModule) -> str | None:
    return exact.why_not_equal(rule, made)


@without_tf32()
def _why_other_outputs(view: ModelView, made: nn.Module, sample: Tensors) -> str | None:
    """Why the outputs of a rule module are not the model's, in their own precision."""
    return compare(view.module, Paired(made), [first_row(sample)], gradients=False)


def _ways(steps: Sequence[str], *, functions_first: bool) -> Iterator[RuleWay]:
    """In order of preference. Where hooks need a hookable module, activations may be calls of functions."""
    without_fused = tuple(step for step in steps if step != use_fused_modules.__name__)
    for used in dict.fromkeys((tuple(steps), without_fused, ())):
        for functions in (functions_first, not functions_first):
            for write_back in (False, True):
                yield RuleWay(used, functions, write_back)


def share_equal_weights(module: nn.Module, other: nn.Module) -> None:
    """Lets `module` hold the parameters of `other` in the place of its own equal ones. Steps recompute weights, so that
    two copies of one model hold equal weights twice."""
    held: dict[tuple[object, ...], list[nn.Parameter]] = {}
    for parameter in other.parameters():
        held.setdefault(_kind(parameter), []).append(parameter)
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            equal = (one for one in held.get(_kind(parameter), ()) if torch.equal(one, parameter))
            setattr(part, name, next(equal, parameter))


def _kind(parameter: nn.Parameter) -> tuple[object, ...]:
    return parameter.dtype, parameter.shape, parameter.stride()
