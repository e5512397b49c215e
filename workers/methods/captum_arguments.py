"""What every Captum call of the solo lane is given, and what comes back."""

from typing import Any

import torch
from torch import Tensor

from workers.engine.solo.solo_call import SoloCall

Tensors = tuple[Tensor, ...]


def leaves(tensors: Tensors) -> Tensors:
    """Private copies that may be asked for gradients; Captum toggles `requires_grad` on what it is given."""
    return tuple(t.detach().clone().requires_grad_(t.is_floating_point()) for t in tensors)


def additional_forward_args(call: SoloCall) -> dict[str, Any]:
    return {"additional_forward_args": call.additional_forward_args or None}


def targeted(call: SoloCall) -> dict[str, Any]:
    """Captum takes places in several dimensions as tuples, and a list of them only for several examples."""
    target: Any = call.targets
    if call.targets is not None and call.targets.dim() == 2:
        places = [tuple(place) for place in call.targets.tolist()]
        target = places[0] if len(places) == 1 else places
    return {"target": target, **additional_forward_args(call)}


def along(method: Any, call: SoloCall, batch_rows: int) -> dict[str, Any]:
    """The points of a path, a batch of them at a time."""
    steps = {"n_steps": method.n_steps, "method": method.method}
    return {**steps, "internal_batch_size": max(batch_rows, call.examples)}


def as_tuple(attributions: Any) -> Tensors:
    """One tensor or several, as Captum gives them, always as a tuple.

    Raises:
        TypeError: a layer whose output is no tensor.
    """
    tensors = attributions if isinstance(attributions, tuple | list) else (attributions,)
    if not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        raise TypeError("the layer's output is not made of tensors")
    return tuple(tensor.detach() for tensor in tensors)
