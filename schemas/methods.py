"""The attribution methods and their parameters: a union discriminated by `name`.

Names and defaults are Captum's; `baseline` and `layer` are ours (a named baseline or a tensor; a module path). A `None`
means "as the model's card says". What only trades speed for memory (`internal_batch_size`, `perturbations_per_eval`,
`nt_samples_batch_size`) is not offered: the engine chooses it.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter

from schemas.base import Strict
from schemas.limits import MAX_SAMPLES, MAX_STEPS
from schemas.tensors import TensorValue

BaselineName = Literal["zero", "black", "white", "mean", "blur", "pad", "background"]
Baseline = BaselineName | TensorValue

Quadrature = Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
NoiseTunnelType = Literal["smoothgrad", "smoothgrad_sq", "vargrad"]

Steps = Annotated[int, Field(ge=2, le=MAX_STEPS, description="Points on the path from baseline to input.")]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
Stdev = Annotated[float, Field(ge=0.0, le=1e6, description="Standard deviation of the noise, in model space.")]
LayerPath = Annotated[str, Field(min_length=1, max_length=200, description="A module path as in `named_modules`.")]
Extent = Annotated[int, Field(ge=1, le=1_000_000)]
Window = Annotated[list[Extent], Field(min_length=1, max_length=7)]


class Grid(Strict):
    """A feature mask of equal rectangles: `[rows, columns]` over the picture."""

    grid: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=2, max_length=2)]


FeatureMask = Grid | TensorValue


class _BaselineMethod(Strict):
    baseline: Baseline | None = Field(
        default=None, description="What 'absent' means; the model card's default when not given."
    )


class _PathMethod(_BaselineMethod):
    n_steps: Steps = 50
    method: Quadrature = Field(default="gausslegendre", description="Quadrature rule along the path.")
    multiply_by_inputs: bool = True


class _LayerMethod(Strict):
    layer: LayerPath | None = Field(default=None, description="The model card's default when not given.")
    attribute_to_layer_input: bool = False
    upsample: bool = Field(
        default=False, description="Interpolate the layer's map to the input's height and width (images only)."
    )


class Saliency(Strict):
    name: Literal["saliency"] = "saliency"
    abs: bool = True


class InputXGradient(Strict):
    name: Literal["input_x_gradient"] = "input_x_gradient"


class IntegratedGradients(_PathMethod):
    name: Literal["integrated_gradients"] = "integrated_gradients"


class GradientShap(_BaselineMethod):
    name: Literal["gradient_shap"] = "gradient_shap"
    n_samples: Samples = 5
    stdevs: Stdev = 0.0
    multiply_by_inputs: bool = True


class DeepLift(_BaselineMethod):
    name: Literal["deep_lift"] = "deep_lift"
    multiply_by_inputs: bool = True
    eps: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-10


class SmoothGrad(Strict):
    """Captum's NoiseTunnel over a gradient method; `abs` belongs to saliency, `n_steps` and `baseline` to IG."""

    name: Literal["smooth_grad"] = "smooth_grad"
    attribution_method: Literal["saliency", "input_x_gradient", "integrated_gradients"] = "saliency"
    nt_type: NoiseTunnelType = "smoothgrad"
    nt_samples: Samples = 5
    stdevs: Stdev = 1.0
    abs: bool = True
    n_steps: Steps = 50
    baseline: Baseline | None = None


class Occlusion(_BaselineMethod):
    name: Literal["occlusion"] = "occlusion"
    sliding_window_shapes: Window | None = Field(
        default=None,
        description="Window over one example: (C, H, W) for images, (tokens,) for text, (features,) for tables.",
    )
    strides: Window | None = Field(default=None, description="Step of the window along each dimension.")


class FeatureAblation(_BaselineMethod):
    name: Literal["feature_ablation"] = "feature_ablation"
    feature_mask: FeatureMask | None = Field(
        default=None,
        description="Which elements are one feature. Default: a 14 x 14 grid, each token, each column, each element.",
    )


class LayerGradCam(_LayerMethod):
    name: Literal["layer_grad_cam"] = "layer_grad_cam"
    relu_attributions: bool = False


class LayerIntegratedGradients(_LayerMethod, _PathMethod):
    name: Literal["layer_integrated_gradients"] = "layer_integrated_gradients"


class LayerGradientXActivation(_LayerMethod):
    name: Literal["layer_gradient_x_activation"] = "layer_gradient_x_activation"
    multiply_by_inputs: bool = True


class LayerActivation(_LayerMethod):
    name: Literal["layer_activation"] = "layer_activation"


AnyMethod = (
    Saliency
    | InputXGradient
    | IntegratedGradients
    | GradientShap
    | DeepLift
    | SmoothGrad
    | Occlusion
    | FeatureAblation
    | LayerGradCam
    | LayerIntegratedGradients
    | LayerGradientXActivation
    | LayerActivation
)
Method = Annotated[AnyMethod, Field(discriminator="name")]

METHODS: dict[str, type[AnyMethod]] = {cls.model_fields["name"].default: cls for cls in get_args(AnyMethod)}
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)
LAYER_METHODS = frozenset(name for name, cls in METHODS.items() if issubclass(cls, _LayerMethod))

_ADAPTER: TypeAdapter[AnyMethod] = TypeAdapter(Method)


def stored_fields(method: AnyMethod) -> dict[str, Any]:
    """The parameters as kept in the job store: all of them, with the values of tensors left out."""
    fields: dict[str, Any] = {}
    for key, value in method:
        if isinstance(value, TensorValue):
            fields[key] = {"tensor": {**value.tensor.model_dump(exclude={"data"}), "data": []}}
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
        if isinstance(value, TensorValue):
            shown[key] = {"tensor": {"datatype": value.tensor.datatype, "shape": value.tensor.shape}}
        else:
            shown[key] = value.model_dump() if isinstance(value, Strict) else value
    return shown
