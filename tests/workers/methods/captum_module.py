"""The module on which Captum's answers are compared with the service's in float32."""

from torch import nn

from schemas.methods import AnyMethod
from workers.engine.view import ModelView
from workers.methods.captum_changes.deep_lift_rules import ClippedReLU
from workers.tracing.shared_copy import shared_copy
from workers.transform.replace_modules import replace_modules


def captum_module(method: AnyMethod, view: ModelView) -> nn.Module:
    """What the engine runs for a method: rounding is equal then. In float32 two roundings of the same function differ
    wherever an activation lies on its bend.

    Of a rule module it is the model inside, with activations that Captum's hooks find. A layer is one of the model.
    """
    if method.lane == "shared":
        return view.pass_module
    at_layer = getattr(method, "layer", None) is not None
    ruled = view.rule_modules.get(method.backward_rule) if method.backward_rule and not at_layer else None
    return view.module if ruled is None else _for_hooks(ruled.get_submodule("model"))


def _for_hooks(model: nn.Module) -> nn.Module:
    plain = shared_copy(model)
    for part in plain.modules():
        vars(part).pop("forward", None)  # where the rule is
    clipped: dict[nn.Module, nn.Module] = {
        part: ClippedReLU(float(part.max_val)) for part in plain.modules() if isinstance(part, nn.Hardtanh)
    }
    return replace_modules(plain, clipped).eval()
