"""Methods that attribute to the model's inputs."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Strict
from schemas.fields import (
    AtLayer,
    AutoSteps,
    Baseline,
    BaselineMethod,
    FeatureMethod,
    NoiseTunnelType,
    Quadrature,
    SampledMethod,
    Samples,
    StandardError,
    Stdev,
    Steps,
    Tolerance,
    Windows,
)


class Saliency(Strict):
    name: Literal["saliency"] = "saliency"
    abs: bool = True


class InputXGradient(Strict):
    name: Literal["input_x_gradient"] = "input_x_gradient"


class IntegratedGradients(BaselineMethod):
    name: Literal["integrated_gradients"] = "integrated_gradients"
    n_steps: AutoSteps = 50
    method: Quadrature = Field(default="gausslegendre", description="Quadrature rule along the path.")
    multiply_by_inputs: bool = True
    tolerance: Tolerance | None = Field(
        default=None,
        description="With `auto`: the completeness error to stop at, relative to the difference of the outputs for "
        "input and baseline. Default: 0.01.",
    )


class GradientShap(SampledMethod):
    name: Literal["gradient_shap"] = "gradient_shap"


class DeepLift(BaselineMethod):
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
    tolerance: StandardError = None


class Occlusion(BaselineMethod):
    name: Literal["occlusion"] = "occlusion"
    sliding_window_shapes: Windows | None = Field(
        default=None,
        description="Window over one example: (C, H, W) for images, (tokens,) for text, (features,) for tables; or a "
        "list of windows, one per input of the model.",
    )
    strides: Windows | None = Field(
        default=None,
        description="Step of the window along each dimension; or a list of them, one per input. Default: one, where a "
        "window is given.",
    )


class FeatureAblation(BaselineMethod, FeatureMethod):
    name: Literal["feature_ablation"] = "feature_ablation"


class FeaturePermutation(FeatureMethod):
    """Features are exchanged between the examples of the request, of which there must be several."""

    name: Literal["feature_permutation"] = "feature_permutation"


class ShapleyValueSampling(BaselineMethod, FeatureMethod):
    name: Literal["shapley_value_sampling"] = "shapley_value_sampling"
    n_samples: Samples = 25
    tolerance: StandardError = None


class ShapleyValues(BaselineMethod, FeatureMethod):
    """Every order of the features: their factorial many."""

    name: Literal["shapley_values"] = "shapley_values"


class KernelShap(BaselineMethod, FeatureMethod):
    name: Literal["kernel_shap"] = "kernel_shap"
    n_samples: Samples = 25
    tolerance: StandardError = None


class Lime(BaselineMethod, FeatureMethod):
    name: Literal["lime"] = "lime"
    n_samples: Samples = 25


class DeepLiftShap(BaselineMethod):
    name: Literal["deep_lift_shap"] = "deep_lift_shap"
    multiply_by_inputs: bool = True


class GuidedBackprop(Strict):
    name: Literal["guided_backprop"] = "guided_backprop"


class Deconvolution(Strict):
    name: Literal["deconvolution"] = "deconvolution"


class GuidedGradCam(AtLayer):
    name: Literal["guided_grad_cam"] = "guided_grad_cam"
    interpolate_mode: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    attribute_to_layer_input: bool = False


class Lrp(Strict):
    name: Literal["lrp"] = "lrp"
