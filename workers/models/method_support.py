"""Which methods a model supports, and why it does not support the others."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from schemas import methods as spec
from schemas.methods import METHOD_NAMES, METHODS, BackwardRule
from schemas.models import MethodSupport
from schemas.sentences import Sentence
from workers.engine.solo.hooks import TORCHSCRIPT, HookSnapshot, takes_hooks
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.methods.solo import lane as solo
from workers.models.measurements.measured import Disproved
from workers.models.probes.gradient_reach import Reach
from workers.models.support_rules import SupportFacts, unsupported_reason
from workers.models.tuning import MAX_SUPPORT_REASON_CHARACTERS
from workers.tracing.module_names import is_embedding
from workers.transform.hookable.hookable_module import without_relu

# By family, the method that is tried for all methods with the same backward rules.
_TRIED = {"deep_lift": spec.DeepLift(baseline="zero"), "guided": spec.GuidedBackprop(), "lrp": spec.Lrp()}


def method_support(
    view: ModelView,
    sample: Prepared,
    defects: dict[str, str],
    *,
    text: bool,
    embedding: str | None,
    reach: Reach,
    rule_reasons: Mapping[BackwardRule, str],
    tried: Prepared | None = None,
) -> list[MethodSupport]:
    """Every method of the service, with a reason where the model does not support it.

    Args:
        view: the model.
        sample: one valid input; methods with backward rules of their own are tried on it.
        defects: why families of methods are wrong, from `workers.transform.hookable.hookable_module`. Only families
            without a defect are tried.
        text: the input is a text.
        embedding: the layer that integers enter.
        reach: which layers a gradient leads to and from.
        rule_reasons: by backward rule, why the model has no module for it.
        tried: the input cut to a size at which the model computes the same (see `workers.tracing.smaller_rows`). What
            works there works; what does not is tried on `sample`. None: `sample`.
    """
    samples = [sample] if tried is None else [tried, sample]
    facts = _find_facts(view, samples, defects, text=text, embedding=embedding, reach=reach)
    supports = [MethodSupport.of(name, unsupported_reason(name, facts)) for name in METHOD_NAMES]
    return with_rule_reasons(supports, rule_reasons)


def with_rule_reasons(methods: list[MethodSupport], rule_reasons: Mapping[BackwardRule, str]) -> list[MethodSupport]:
    """The same methods; those that are supported say why they take the solo lane, by their backward rule."""

    def with_reason(support: MethodSupport) -> MethodSupport:
        rule = METHODS[support.name].backward_rule
        reason = None if rule is None else rule_reasons.get(rule)
        return support.model_copy(update={"solo_reason": reason and reason[:MAX_SUPPORT_REASON_CHARACTERS]})

    return [with_reason(support) if support.supported else support for support in methods]


def check_support(known: list[MethodSupport], view: ModelView, sample: Prepared, tried: Prepared | None = None) -> None:
    """Tries what an earlier load has found to work: the gradient, and one method of backward rules of its own.

    Args:
        tried: as in `method_support`.

    Raises:
        Disproved: it does not work, or the methods are not those of this service.
    """
    if [one.name for one in known] != list(METHOD_NAMES):
        raise Disproved("the methods are others")
    supported = {one.name for one in known if one.supported}
    reason = no_gradient(view, sample) if "saliency" in supported else None
    method = next((method for method in _TRIED.values() if method.name in supported), None)
    if reason is None and method is not None:
        reason = _try_all(method, view, [sample] if tried is None else [tried, sample])
    if reason is not None:
        raise Disproved(reason)


def no_gradient(view: ModelView, sample: Prepared) -> str | None:
    """Why no gradient leads from the model's outputs to its inputs; None where one does, or where the model raises."""
    leaves = tuple(tensor.detach().clone().requires_grad_() for tensor in sample.inputs)
    try:
        with torch.enable_grad():
            outputs = view.module(
                *(leaf.clone() for leaf in leaves), *(tensor.clone() for tensor in sample.additional_forward_args)
            )
    except Exception:  # the trial of a method gives the exception as the reason
        return None
    if outputs.requires_grad:
        return None
    return (
        "the model's outputs carry no gradient to its inputs, as behind torch.no_grad, detach or argmax; "
        "use a method that perturbs the inputs, such as feature_ablation"
    )


def _find_facts(
    view: ModelView,
    samples: list[Prepared],
    defects: dict[str, str],
    *,
    text: bool,
    embedding: str | None,
    reach: Reach,
) -> SupportFacts:
    sample = samples[0]
    integers = not all(tensor.is_floating_point() for tensor in sample.inputs)
    without_gradient = None if integers else no_gradient(view, sample)
    return SupportFacts(
        alone=view.alone_reason,
        text=text,
        integers=integers,
        pictures=sample.inputs[0].dim() == 4,
        embedding=embedding,
        has_embedding=any(is_embedding(layer) for layer in view.layer_module.modules()),
        no_layers=_no_layers(view.layer_module),
        no_gradient=without_gradient,
        reach=reach,
        # A trial explains an output by the inputs, so it needs their gradient.
        defects={} if integers else _all_defects(view, samples, defects, trials=without_gradient is None),
    )


def _no_layers(module: nn.Module) -> str | None:
    """Why no layer of the model can be explained; None where one can."""
    layers = [layer for path, layer in module.named_modules() if path]
    if not layers:
        return "the model has no layers"
    return None if any(takes_hooks(layer) for layer in layers) else TORCHSCRIPT


def _all_defects(view: ModelView, samples: list[Prepared], defects: dict[str, str], *, trials: bool) -> dict[str, str]:
    """Why families of methods are wrong on the model: the defects given, and those that trials on all samples show."""
    tried = {
        family: _try_all(method, view, samples)
        for family, method in _TRIED.items()
        if trials and not defects.get(family)
    }
    found = {family: reason for family, reason in tried.items() if reason is not None} | defects
    if "guided" in found:
        return found
    reason = without_relu(view.hook_module, (*samples[-1].inputs, *samples[-1].additional_forward_args))
    return found if reason is None else found | {"guided": reason}


def _try_all(method: Any, view: ModelView, samples: list[Prepared]) -> str | None:
    """None where the method works on one of the samples, else why it does not work on the last."""
    reason: str | None = None
    for sample in samples:
        reason = _try(method, view, sample)
        if reason is None:
            return None
    return reason


def _try(method: Any, view: ModelView, sample: Prepared) -> str | None:
    """Runs a method on the sample. Returns None where it works, else the exception in words."""
    with torch.no_grad():
        outputs = view.module(*(t.clone() for t in (*sample.inputs, *sample.additional_forward_args)))
    baselines = tuple(torch.zeros_like(tensor) for tensor in sample.inputs)
    call = SoloCall(sample.inputs, sample.additional_forward_args, baselines, _first_targets(outputs))
    hooks = HookSnapshot(view.module, view.layer_module, view.hook_module)
    try:
        solo.attribute(method, view, call, 1)
    except Exception as error:  # Captum raises AssertionError and others
        return _reason(error, view.layer_module)
    finally:
        hooks.restore()
    return None


def _first_targets(outputs: torch.Tensor) -> torch.Tensor | None:
    """The first output of each row: (rows,), or (rows, dimensions) for outputs with positions; None for one output."""
    if outputs.dim() < 2:
        return None
    positions = (outputs.dim() - 1,) if outputs.dim() > 2 else ()
    return torch.zeros(outputs.shape[0], *positions, dtype=torch.int64, device=outputs.device)


def _reason(error: Exception, module: nn.Module) -> str:
    message = " ".join(str(error).split())
    return Sentence(
        "on {model} it raises {error}: {message}",
        model=type(module).__name__,
        error=type(error).__name__,
        message=message[:MAX_SUPPORT_REASON_CHARACTERS],
    )
