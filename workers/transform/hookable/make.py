"""A module on which methods that hook activations are right: the model itself, or a rewriting of it."""

import structlog
import torch
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from torch import Tensor, nn

from workers.engine.solo.hooks import TORCHSCRIPT, takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.tracing.samples import enter, leaves
from workers.transform.hookable import hook_defects, lacks_lrp_rules, separate_activations

log = structlog.get_logger()
FAMILIES = ("deep_lift", "guided", "lrp")  # as `workers.transform.hookable.hook_defects` calls them


def make_hookable(view: ModelView, sample: Prepared) -> tuple[nn.Module | None, dict[str, str]]:
    """A rewriting of `view.module` if that mends something, and why families of methods are still not right.

    Families are those of `workers.transform.hookable.hook_defects`. A model that cannot be examined is left as it
    is; whether methods work on it is then found out by trying.
    """
    tensors = (*sample.inputs, *sample.additional_forward_args)
    if not all(takes_hooks(part) for part in view.module.modules()):  # what runs in there would be passed over
        return None, dict.fromkeys(FAMILIES, TORCHSCRIPT)
    try:
        defects = hook_defects(view.module, tensors, view.input_count)
        if not defects or (defects.keys() == {"lrp"} and lacks_lrp_rules(view.module)):
            return None, defects
        hookable = separate_activations(view.module, tensors, view.input_count)
        left = hook_defects(hookable.module, tensors, view.input_count)
    except Exception as error:  # the model's own code may raise anything
        log.warning("model cannot be examined for hooks", error=type(error).__name__)
        return None, {}
    if left.keys() == defects.keys():
        because = f"; it could not be rewritten: {hookable.reason}" if hookable.reason else ""
        return None, {family: reason + because for family, reason in defects.items()}
    log.info("model rewritten for hooks", changed=len(hookable.changed))
    return hookable.module, left


def without_relu(module: nn.Module, tensors: tuple[Tensor, ...]) -> str | None:
    """Why guided methods would be the plain gradient: the model runs no nn.ReLU. None where it runs one."""
    ran: list[nn.Module] = []

    def note(part: nn.Module, _args: object) -> None:
        ran.append(part)

    handles = [part.register_forward_pre_hook(note) for part in module.modules() if isinstance(part, nn.ReLU)]
    try:
        with torch.enable_grad():  # a rewriting calls its modules only for values that carry a gradient
            module(*enter(leaves(tensors, None)))
    finally:
        for handle in handles:
            handle.remove()
    return None if ran else "the model runs no nn.ReLU, which is all that it hooks; it would be the plain gradient"


def text_defects(view: ModelView) -> dict[str, str]:
    """Why families of methods are not right on a text model.

    Language models hold what DeepLIFT has no rule for, norms and attention above all; their results say how much of the
    difference is not accounted for. Where it has a rule for nothing at all, its answer is no DeepLIFT.
    """
    if not all(takes_hooks(part) for part in view.module.modules()):
        return dict.fromkeys(FAMILIES, TORCHSCRIPT)
    if not any(type(part) in SUPPORTED_NON_LINEAR for part in view.module.modules()):
        return {"deep_lift": "the model has no activation module with a rule; DeepLIFT would be the plain gradient"}
    return {}
