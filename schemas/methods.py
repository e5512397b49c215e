"""All attribution methods and their parameters: a union discriminated by `name`.

Names and defaults are Captum's; `baseline` and `layer` are ours (a named baseline or a tensor; a module path). A `None`
means "as the model's card says". What only trades speed for memory (`internal_batch_size`, `perturbations_per_eval`,
`nt_samples_batch_size`) is not offered: the engine chooses it.
"""

from collections.abc import Callable
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter

from schemas.base import Strict
from schemas.fields import Baseline, BaselineName, FeatureMask, Grid, LayerMethod, Superpixels
from schemas.input_methods import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    FeatureAblation,
    FeaturePermutation,
    GradientShap,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    Lime,
    Lrp,
    Occlusion,
    Saliency,
    ShapleyValues,
    ShapleyValueSampling,
    SmoothGrad,
)
from schemas.layer_methods import (
    InternalInfluence,
    LayerActivation,
    LayerConductance,
    LayerDeepLift,
    LayerDeepLiftShap,
    LayerFeatureAblation,
    LayerFeaturePermutation,
    LayerFeatures,
    LayerGradCam,
    LayerGradientShap,
    LayerGradientXActivation,
    LayerIntegratedGradients,
    LayerLrp,
    NeuronConductance,
    NeuronDeconvolution,
    NeuronDeepLift,
    NeuronDeepLiftShap,
    NeuronFeatureAblation,
    NeuronGradient,
    NeuronGradientShap,
    NeuronGuidedBackprop,
    NeuronIntegratedGradients,
)
from schemas.tensors import GivenTensors, Tensor, TensorValue

AnyMethod = (
    Saliency
    | InputXGradient
    | IntegratedGradients
    | GradientShap
    | DeepLift
    | SmoothGrad
    | Occlusion
    | FeatureAblation
    | FeaturePermutation
    | ShapleyValueSampling
    | ShapleyValues
    | KernelShap
    | Lime
    | DeepLiftShap
    | GuidedBackprop
    | Deconvolution
    | GuidedGradCam
    | Lrp
    | LayerGradCam
    | LayerIntegratedGradients
    | LayerGradientXActivation
    | LayerActivation
    | LayerConductance
    | InternalInfluence
    | LayerGradientShap
    | LayerDeepLift
    | LayerDeepLiftShap
    | LayerLrp
    | LayerFeatureAblation
    | LayerFeaturePermutation
    | NeuronGradient
    | NeuronIntegratedGradients
    | NeuronConductance
    | NeuronDeepLift
    | NeuronDeepLiftShap
    | NeuronGradientShap
    | NeuronGuidedBackprop
    | NeuronDeconvolution
    | NeuronFeatureAblation
)
Method = Annotated[AnyMethod, Field(discriminator="name")]

METHODS: dict[str, type[AnyMethod]] = {cls.model_fields["name"].default: cls for cls in get_args(AnyMethod)}
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)
LAYER_METHODS = frozenset(name for name, cls in METHODS.items() if issubclass(cls, LayerMethod))

_ADAPTER: TypeAdapter[AnyMethod] = TypeAdapter(Method)


def stored_fields(method: AnyMethod) -> dict[str, Any]:
    """The parameters as kept in the job store: all of them, with the values of tensors left out."""
    fields: dict[str, Any] = {}
    for key, value in method:
        if isinstance(value, GivenTensors):
            fields[key] = _each(value, lambda tensor: {**tensor.model_dump(exclude={"data"}), "data": []})
        else:
            fields[key] = value.model_dump() if isinstance(value, Strict) else value
    return fields


def stored_method(fields: dict[str, Any]) -> AnyMethod:
    """A method read back from the job store, where tensor values lie apart (see `schemas.tensors.Tensor`)."""
    return _ADAPTER.validate_python(fields, context={"stored": True})


def echo(method: AnyMethod) -> dict[str, Any]:
    """The parameters as shown in jobs and results: a tensor is named by its shape, never repeated."""
    shown: dict[str, Any] = {}
    for key, value in method:
        if isinstance(value, GivenTensors):
            shown[key] = _each(value, lambda tensor: {"datatype": tensor.datatype, "shape": tensor.shape})
        else:
            shown[key] = value.model_dump() if isinstance(value, Strict) else value
    return shown


def _each(value: GivenTensors, told: Callable[[Tensor], dict[str, Any]]) -> dict[str, Any]:
    if isinstance(value, TensorValue):
        return {"tensor": told(value.tensor)}
    return {"tensors": [told(one) if isinstance(one, Tensor) else one for one in value.each]}


__all__ = [
    "LAYER_METHODS",
    "METHODS",
    "METHOD_NAMES",
    "AnyMethod",
    "Baseline",
    "BaselineName",
    "Deconvolution",
    "DeepLift",
    "DeepLiftShap",
    "FeatureAblation",
    "FeatureMask",
    "FeaturePermutation",
    "GradientShap",
    "Grid",
    "GuidedBackprop",
    "GuidedGradCam",
    "InputXGradient",
    "IntegratedGradients",
    "InternalInfluence",
    "KernelShap",
    "LayerActivation",
    "LayerConductance",
    "LayerDeepLift",
    "LayerDeepLiftShap",
    "LayerFeatureAblation",
    "LayerFeaturePermutation",
    "LayerFeatures",
    "LayerGradCam",
    "LayerGradientShap",
    "LayerGradientXActivation",
    "LayerIntegratedGradients",
    "LayerLrp",
    "LayerMethod",
    "Lime",
    "Lrp",
    "Method",
    "NeuronConductance",
    "NeuronDeconvolution",
    "NeuronDeepLift",
    "NeuronDeepLiftShap",
    "NeuronFeatureAblation",
    "NeuronGradient",
    "NeuronGradientShap",
    "NeuronGuidedBackprop",
    "NeuronIntegratedGradients",
    "Occlusion",
    "Saliency",
    "ShapleyValueSampling",
    "ShapleyValues",
    "SmoothGrad",
    "Superpixels",
    "echo",
    "stored_fields",
    "stored_method",
]
