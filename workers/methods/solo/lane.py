"""Methods of the solo lane: they hook the model's modules, so they run while nothing else uses it."""

import contextlib
from collections.abc import Iterator

from schemas.methods import BaseMethod
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.calls import HookedCalls
from workers.methods.solo import layers, rules
from workers.methods.solo.hooked_call import Tensors
from workers.methods.solo.leaf_copies import private_tensors
from workers.tracing.module_names import is_embedding

HOOKED: HookedCalls = {**rules.CALLS, **layers.CALLS}


def attribute(method: BaseMethod, view: ModelView, call: SoloCall, batch_rows: int) -> Tensors:
    """Runs a method's Captum call on the model; see `workers.engine.solo.Attribute`."""
    # Rules hook the tensors around activations, so a copy behind the layer is only for methods without rules.
    layer = None if method.rules is not None else getattr(method, "layer", None)
    with private_tensors(view, layer, at_input=method.at_layer_input), _embeddings_trainable(view, call.inputs):
        return HOOKED[type(method)](method, view, call, batch_rows)


@contextlib.contextmanager
def _embeddings_trainable(view: ModelView, inputs: Tensors) -> Iterator[None]:
    """Lets a graph reach the layers from token ids: weights are frozen, and integers carry no gradient."""
    frozen = []
    if not any(tensor.is_floating_point() for tensor in inputs):
        frozen = [
            parameter
            for module in view.layer_module.modules()
            if is_embedding(module)
            for parameter in module.parameters()
        ]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
