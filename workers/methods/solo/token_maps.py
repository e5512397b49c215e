"""Grad-CAM where a layer gives tokens and not a map."""

from typing import Any

from captum._utils.gradient import compute_layer_gradients_and_eval
from torch import Tensor, nn
from torch.nn import functional as F

from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import TokenGrid
from workers.methods.solo.hooked_call import Tensors, leaves, target


def grad_cam_of_tokens(
    method: Any,
    grid: TokenGrid,
    module: nn.Module,
    layer: nn.Module,
    call: SoloCall,
    *,
    relu: bool,
    summed: bool = True,
) -> Tensors:
    """Grad-CAM with the tokens of an image transformer laid out as the map that they are.

    Captum takes dimension 1 for channels and the others for places; of (examples, tokens, C) that would weigh tokens
    and add them up. Here tokens become (examples, C, rows, columns) first. Other layers are treated as Captum does.

    Returns:
        (examples, 1, rows, columns) each; with channels in place of the 1 where they are not `summed`.

    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-Based Localization" (2017).
    """
    gradients, values = compute_layer_gradients_and_eval(
        module,
        layer,
        leaves(call.inputs),
        target(method, call, 0)["target"],
        call.additional_forward_args or None,
        attribute_to_layer_input=method.attribute_to_layer_input,
    )
    maps = [_weighted(grid.as_map(g), grid.as_map(v)) for g, v in zip(gradients, values, strict=True)]
    if summed:
        maps = [one.sum(dim=1, keepdim=True) for one in maps]
    return tuple((F.relu(one) if relu else one).detach() for one in maps)


def _weighted(gradient: Tensor, value: Tensor) -> Tensor:
    """Channels weighted by their mean gradient over places."""
    places = tuple(range(2, gradient.dim()))
    weights = gradient.mean(dim=places, keepdim=True) if places else gradient
    return weights * value
