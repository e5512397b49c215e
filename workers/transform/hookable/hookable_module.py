"""Chooses the module that methods with hooks on activations run: the model itself, or a hookable copy."""

from dataclasses import dataclass

import structlog
import torch
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from torch import Tensor, nn

from schemas.sentences import Sentence, words
from workers.engine.solo.hooks import TORCHSCRIPT, takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.tracing.forward_hooks import removed_afterwards
from workers.tracing.samples import cloned, leaves
from workers.tracing.smaller_rows import SmallerSize
from workers.transform.hookable import Way, hook_defects, lacks_lrp_rules, separate_activations

log = structlog.get_logger()
FAMILIES = ("deep_lift", "guided", "lrp")  # of methods, as in `workers.transform.hookable.hook_defects`


@dataclass(frozen=True, slots=True)
class HookableChoice:
    """What hook methods run.

    Attributes:
        module: the copy; None where it would change nothing.
        defects: reasons by family of methods, as in `workers.transform.hookable.hook_defects`.
        way: how the copy was made, as in `workers.transform.hookable.HookableModule`.
        examined: False where something raised, so that another time may have another outcome.
    """

    module: nn.Module | None
    defects: dict[str, str]
    way: Way | None = None
    examined: bool = True


def make_hookable(view: ModelView, sample: Prepared, smaller: SmallerSize | None = None) -> HookableChoice:
    """A hookable copy of `view.module`, where it is needed, and the defects that remain.

    A model that cannot be examined has no defects; whether the methods work on it is tested by running them.

    Args:
        smaller: a size at which the model computes the same, where the examination takes less time.
    """
    tensors = (*sample.inputs, *sample.additional_forward_args)
    examined = tensors if smaller is None else smaller.cut(tensors)
    if not all(takes_hooks(part) for part in view.module.modules()):  # hooks would miss what runs inside
        return HookableChoice(None, dict.fromkeys(FAMILIES, TORCHSCRIPT))
    try:
        defects = hook_defects(view.module, examined, view.input_count)
        if not defects or (defects.keys() == {"lrp"} and lacks_lrp_rules(view.module)):
            return HookableChoice(None, defects)
        hookable = separate_activations(view.module, tensors, view.input_count, smaller)
        remaining = hook_defects(hookable.module, examined, view.input_count)
    except Exception as error:  # the model's own code may raise anything
        log.warning("model cannot be examined for hooks", error=type(error).__name__)
        return HookableChoice(None, {}, examined=False)
    if remaining.keys() == defects.keys():
        reasons = {family: _with_reason(defect, hookable.reason) for family, defect in defects.items()}
        return HookableChoice(None, reasons, examined=not hookable.failed)
    log.info("hookable module made", changed=len(hookable.changed))
    return HookableChoice(hookable.module, remaining, hookable.way)


def _with_reason(defect: str, reason: str | None) -> str:
    """The defect, and why no copy without it could be made."""
    if not reason:
        return defect
    return Sentence("{defect}; it could not be rewritten: {reason}", defect=words(defect), reason=reason)


def without_relu(module: nn.Module, tensors: tuple[Tensor, ...]) -> str | None:
    """Why guided methods would equal the plain gradient: the forward runs no nn.ReLU. None where it runs one."""
    ran: list[nn.Module] = []

    def note(part: nn.Module, _args: object) -> None:
        ran.append(part)

    handles = [part.register_forward_pre_hook(note) for part in module.modules() if isinstance(part, nn.ReLU)]
    # A hookable module runs its added layers only for values that require a gradient.
    with removed_afterwards(handles), torch.enable_grad():
        module(*cloned(leaves(tensors, None)))
    return None if ran else "the model runs no nn.ReLU, which is all that it hooks; it would be the plain gradient"


def text_defects(view: ModelView) -> dict[str, str]:
    """Why families of methods are not right on a text model, by family.

    Language models contain norms and attention, for which DeepLIFT has no rule. Results then report the part of the
    difference that is not attributed. Where DeepLIFT has a rule for no module at all, it is refused.
    """
    if not all(takes_hooks(part) for part in view.module.modules()):
        return dict.fromkeys(FAMILIES, TORCHSCRIPT)
    if not any(type(part) in SUPPORTED_NON_LINEAR for part in view.module.modules()):
        return {"deep_lift": "the model has no activation module with a rule; DeepLIFT would be the plain gradient"}
    return {}
