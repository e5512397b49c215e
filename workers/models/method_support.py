"""Which methods are offered on a model, and why others are not: known beforehand where it can be, else tried once."""

from typing import Any

import torch
from torch import nn

from schemas import methods as spec
from schemas.methods import METHOD_NAMES, METHODS
from schemas.models import MethodSupport
from schemas.traits import (
    FROM_THE_MODELS_OWN_INPUT,
    GRADIENT_OF_UNIT,
    GRADIENT_TO_LAYER,
    PERMUTES,
    WITHOUT_GRADIENTS,
)
from workers.engine.hooks import TORCHSCRIPT, HookSnapshot, takes_hooks
from workers.engine.solo import SoloCall
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.methods import solo_lane as solo
from workers.models.gradient_reach import Reach, gradient_reach
from workers.tracing.embedding import is_embedding
from workers.transform.hookable.make import without_relu

LONGEST_REASON = 300

# One method stands for all whose backward pass follows the same rules.
_TRIED = {
    "deep_lift": (spec.DeepLift(baseline="zero"), ("deep_lift",)),
    "guided": (spec.GuidedBackprop(), ("guided", "deconvolution")),
    "lrp": (spec.Lrp(), ("lrp",)),
}

# The others take the gradient of an output with respect to the inputs; these take it to or from a layer.
_AT_LAYERS = (GRADIENT_TO_LAYER | GRADIENT_OF_UNIT) - {"guided_grad_cam", "layer_lrp"}

_SEVERAL_ROWS = (
    "deep_lift",
    "guided",
    "deconvolution",
    "lrp",
    "conductance",
    "layer_gradient_shap",
    "neuron_gradient_shap",
)


def method_support(
    view: ModelView,
    sample: Prepared,
    defects: dict[str, str],
    *,
    text: bool,
    embedding: str | None,
    reach: Reach | None = None,
) -> list[MethodSupport]:
    """Every method of the service, with the reason where it is not offered on this model.

    `defects` are those of `workers.transform.hookable.make.make_hookable`; families without one are tried.
    `embedding` is the layer that integers enter; `reach` is found out where it is not given.
    """
    reach = reach or gradient_reach(view, sample)
    floats = all(tensor.is_floating_point() for tensor in sample.inputs)
    gradients = no_gradient(view, sample) if floats else None
    tried = floats and gradients is None  # what is tried explains an output by the inputs
    broken = {
        family: (defects.get(family) or (_try(method, view, sample) if tried else None)) if floats else None
        for family, (method, _) in _TRIED.items()
    }
    if floats and broken["guided"] is None:
        broken["guided"] = without_relu(view.hook_module, (*sample.inputs, *sample.additional_forward_args))
    pictures = sample.inputs[0].dim() == 4
    supports = []
    for name in METHOD_NAMES:
        reason = _not_alone(view, name)
        if reason is not None:
            pass
        elif not floats and (why := _not_of_integers(name, view.layer_module, embedding)):
            reason = why
        elif gradients is not None and name not in WITHOUT_GRADIENTS | _AT_LAYERS:
            reason = gradients
        elif cut := _cut(name, reach):
            reason = cut
        elif "layer" in METHODS[name].model_fields and (without := _without_layers(view.layer_module)):
            reason = without
        elif name in PERMUTES and text:
            reason = "it exchanges features between several examples, and texts come one at a time"
        elif name == "guided_grad_cam" and not pictures:
            reason = "it lays a layer's map over the input, which needs inputs with height and width"
        else:
            reason = next(
                (broken[family] for family, (_, parts) in _TRIED.items() if any(p in name for p in parts)), None
            )
        supports.append(MethodSupport(name=name, supported=reason is None, reason=reason))
    return supports


def _not_alone(view: ModelView, name: str) -> str | None:
    """Why a method cannot run with one row per pass; None where it can, or need not."""
    if view.alone is None or not any(part in name for part in _SEVERAL_ROWS):
        return None
    return f"it needs several rows in one pass, or a proven copy of the model, and this model runs alone: {view.alone}"


def no_gradient(view: ModelView, sample: Prepared) -> str | None:
    """Why no gradient leads from the model's outputs to its inputs; None where one does."""
    leaves = tuple(tensor.detach().clone().requires_grad_() for tensor in sample.inputs)
    try:
        with torch.enable_grad():
            out = view.module(
                *(leaf.clone() for leaf in leaves), *(tensor.clone() for tensor in sample.additional_forward_args)
            )
    except Exception:  # the model's own code; a method that is tried says what it raises
        return None
    if out.requires_grad:
        return None
    return (
        "the model's outputs carry no gradient to its inputs, as behind torch.no_grad, detach or argmax; "
        "use a method that perturbs the inputs, such as feature_ablation"
    )


def _cut(name: str, reach: Reach) -> str | None:
    """Why a method at a layer has no layer that a gradient leads to or from as it needs; None where it has."""
    to_layer, of_unit = name in GRADIENT_TO_LAYER, name in GRADIENT_OF_UNIT
    lacking = [reach.from_output] * to_layer + [reach.to_input] * of_unit
    if not lacking or reach.any_layer(*lacking):
        return None
    ways = ["from the model's outputs to it"] * to_layer + ["from it to the model's inputs"] * of_unit
    instead = "neuron_feature_ablation" if of_unit else "layer_feature_ablation"
    return f"no layer has a gradient {' and '.join(ways)}; use a method that perturbs, such as {instead}"


def _not_of_integers(name: str, module: nn.Module, embedding: str | None) -> str | None:
    """Why a method cannot explain a model that takes integers, and what can; None where it can."""
    if name in WITHOUT_GRADIENTS or name == "layer_integrated_gradients":
        return None
    if name in FROM_THE_MODELS_OWN_INPUT:
        if any(is_embedding(part) for part in module.modules()):
            return None
        return "the model's inputs are integers and enter no nn.Embedding, so its layers are given no gradient"
    instead = "at the layer that turns them into vectors"
    if embedding is not None:
        instead = f"with layer {embedding!r}, their embedding, which is its default"
    return f"the model's inputs are integers, without a gradient; use layer_integrated_gradients {instead}"


def _without_layers(module: nn.Module) -> str | None:
    """Why nothing can be asked of layers; None where something can."""
    layers = [layer for path, layer in module.named_modules() if path]
    if not layers:
        return "the model has no layers"
    return None if any(takes_hooks(layer) for layer in layers) else TORCHSCRIPT


def _try(method: Any, view: ModelView, sample: Prepared) -> str | None:
    """Runs a method on the sample; None if it works, else what it said."""
    with torch.no_grad():
        out = view.module(*(t.clone() for t in (*sample.inputs, *sample.additional_forward_args)))
    places = (out.dim() - 1,) if out.dim() > 2 else ()
    targets = torch.zeros(out.shape[0], *places, dtype=torch.int64, device=out.device) if out.dim() > 1 else None
    baselines = tuple(torch.zeros_like(tensor) for tensor in sample.inputs)
    hooks = HookSnapshot(view.module, view.layer_module, view.hook_module)
    try:
        solo.attribute(method, view, SoloCall(sample.inputs, sample.additional_forward_args, baselines, targets), 1)
    except Exception as error:  # Captum asserts, and raises what it likes: its word is the reason
        return _reason(error, view.layer_module)
    finally:
        hooks.restore()
    return None


def _reason(error: Exception, module: nn.Module) -> str:
    said = " ".join(str(error).split())
    return f"on {type(module).__name__} it raises {type(error).__name__}: {said}"[:LONGEST_REASON]
