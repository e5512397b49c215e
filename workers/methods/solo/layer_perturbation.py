"""A layer's units taken away or exchanged, many at a time: Captum's perturbation methods with the layer as input.

Both are called as Captum's own layer forms call them, which 0.9.0 gets wrong: LayerFeatureAblation does not repeat
targets that differ by example when it evaluates several perturbations at once, LayerFeaturePermutation picks its target
twice, and both fail.
"""

from typing import Any

import torch
from captum._utils.gradient import _forward_layer_eval
from captum.attr import FeatureAblation, FeaturePermutation
from torch import Tensor, nn

from schemas import methods as spec
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.solo.hooked_call import Tensors, as_tuple, target


def layer_feature_ablation(
    method: spec.LayerFeatureAblation, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    baselines = method.layer_baselines if call.layer_values is None else call.layer_values
    return _perturb(FeatureAblation, method, view, call, batch_rows, baselines=baselines)


def layer_feature_permutation(
    method: spec.LayerFeaturePermutation, view: ModelView, call: SoloCall, batch_rows: int
) -> Tensors:
    return _perturb(FeaturePermutation, method, view, call, batch_rows)


def _perturb(
    captum_class: Any, method: Any, view: ModelView, call: SoloCall, batch_rows: int, **options: Any
) -> Tensors:
    layer = view.layer_module.get_submodule(method.layer)
    at_input = method.attribute_to_layer_input
    with torch.no_grad():
        values = _forward_layer_eval(
            view.layer_module,
            call.inputs,
            layer,
            call.additional_forward_args or None,
            attribute_to_layer_input=at_input,
        )

        def run_on(*tensors: Tensor) -> Any:
            """The model on its inputs, those after the layer's values, with these in the layer's place."""
            given, inputs = tensors[: len(values)], tensors[len(values) :]
            given = tuple(one.to(value.dtype) for one, value in zip(given, values, strict=True))
            with _Replaced(layer, given, at_input=at_input):
                return view.layer_module(*inputs)

        attributions = captum_class(run_on).attribute(
            values,
            additional_forward_args=(*call.inputs, *call.additional_forward_args),
            feature_mask=call.layer_mask,
            perturbations_per_eval=max(1, batch_rows // call.examples),
            **target(method, call, batch_rows),
            **options,
        )
    return as_tuple(attributions)


class _Replaced:
    """A layer that takes, or gives, these values, for as long as this is entered."""

    def __init__(self, layer: nn.Module, values: Tensors, *, at_input: bool) -> None:
        def instead(_module: nn.Module, *given: Any) -> Any:
            return values if isinstance(given[-1], tuple) else values[0]

        self._handle = layer.register_forward_pre_hook(instead) if at_input else layer.register_forward_hook(instead)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._handle.remove()
