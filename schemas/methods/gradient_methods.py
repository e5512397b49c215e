"""Methods that explain an output by the inputs, from gradients or by backward rules in their place."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from schemas.methods.base import BaseMethod, Gradient
from schemas.methods.cost import TYPICAL_AUTO_STEPS, Cost, Sizes
from schemas.methods.families import (
    AtLayer,
    BaselineMethod,
    DeepLiftMethod,
    DeepLiftShapMethod,
    GuidedMethod,
    LrpMethod,
    SampledMethod,
)
from schemas.methods.fields import (
    AtLayerInput,
    AutoSteps,
    Baseline,
    Frames,
    MultiplyByInputs,
    NoiseTunnelType,
    Quadrature,
    Samples,
    StandardError,
    Stdev,
    Steps,
    Tolerance,
)

TO_INPUT: frozenset[Gradient] = frozenset({"output_to_input"})


class Saliency(BaseMethod):
    lane = "shared"
    gradients = TO_INPUT
    single_gradient = True
    coalesces = True

    name: Literal["saliency"] = "saliency"
    abs: bool = Field(default=True, description="Absolute values; `false` keeps the sign of the gradient.")

    @property
    def yields_rates(self) -> bool:
        return True


class InputXGradient(BaseMethod):
    lane = "shared"
    gradients = TO_INPUT
    single_gradient = True
    coalesces = True

    name: Literal["input_x_gradient"] = "input_x_gradient"


class IntegratedGradients(BaselineMethod):
    lane = "shared"
    gradients = TO_INPUT
    completeness = "exactly"
    coalesces = True

    name: Literal["integrated_gradients"] = "integrated_gradients"
    n_steps: AutoSteps = 50
    method: Quadrature = Field(default="gausslegendre", description="Quadrature rule along the path.")
    multiply_by_inputs: MultiplyByInputs = True
    tolerance: Tolerance | None = Field(
        default=None,
        description="With `auto`: the completeness error to stop at, relative to the difference of the outputs for "
        "input and baseline. Default: 0.01.",
    )
    frames: Frames = 0

    def cost(self, sizes: Sizes) -> Cost:
        """With `auto` an estimate: the number of steps depends on the model and the input."""
        if self.n_steps == "auto":
            return Cost.of(TYPICAL_AUTO_STEPS, "n_steps, typically")
        return Cost.of(self.n_steps, "n_steps")

    @property
    def adaptive(self) -> bool:
        return self.n_steps == "auto"

    @property
    def path_frames(self) -> int:
        return self.frames

    def unused_parameters(self) -> Iterator[tuple[str, str]]:
        if not self.adaptive and self.tolerance is not None:
            yield "tolerance", "n_steps auto"
        if self.adaptive and self.method != self.default("method"):
            yield "method", "a number of steps; auto chooses the points itself"


class GradientShap(SampledMethod):
    lane = "shared"
    gradients = TO_INPUT

    name: Literal["gradient_shap"] = "gradient_shap"


class DeepLift(DeepLiftMethod):
    backward_rule = "rescale"
    gradients = TO_INPUT
    completeness = "exactly"

    name: Literal["deep_lift"] = "deep_lift"
    multiply_by_inputs: MultiplyByInputs = True
    eps: Annotated[
        float,
        Field(
            gt=0.0,
            le=1.0,
            description="Where the input of a nonlinearity differs by less than this from its value on the baseline, "
            "the plain gradient takes the place of the quotient of the differences.",
        ),
    ] = 1e-10


class SmoothGrad(BaseMethod):
    """Captum's NoiseTunnel over a gradient method; `abs` belongs to saliency, `n_steps` and `baseline` to IG."""

    lane = "shared"
    gradients = TO_INPUT
    baselines = "single"
    draws = True
    noisy_samples = "nt_samples"

    name: Literal["smooth_grad"] = "smooth_grad"
    attribution_method: Literal["saliency", "input_x_gradient", "integrated_gradients"] = Field(
        default="saliency", description="The method that explains each noisy copy."
    )
    nt_type: NoiseTunnelType = Field(
        default="smoothgrad",
        description="What is taken of the copies' attributions. `smoothgrad`: the mean; `smoothgrad_sq`: the mean of "
        "the squares; `vargrad`: the variance.",
    )
    nt_samples: Samples = Field(default=5, description="Noisy copies of the input.")
    stdevs: Stdev = 1.0
    abs: bool = Field(
        default=True, description="With `saliency`: absolute values; `false` keeps the sign of the gradient."
    )
    n_steps: Steps = Field(
        default=50, description="With `integrated_gradients`: points on the path from baseline to input."
    )
    baseline: Baseline | None = Field(
        default=None, description="With `integrated_gradients`: what 'absent' means. Default: the model card's."
    )
    tolerance: StandardError = None

    def cost(self, sizes: Sizes) -> Cost:
        samples = Cost.of(self.nt_samples, "nt_samples")
        return samples * Cost.of(self.n_steps, "n_steps") if self.takes_baseline else samples

    @property
    def adaptive(self) -> bool:
        return self.tolerance is not None

    @property
    def takes_baseline(self) -> bool:
        return self.attribution_method == "integrated_gradients"

    @property
    def yields_rates(self) -> bool:
        return self.attribution_method == "saliency"

    def unused_parameters(self) -> Iterator[tuple[str, str]]:
        owners = {"abs": "saliency", "n_steps": "integrated_gradients", "baseline": "integrated_gradients"}
        for field, owner in owners.items():
            if getattr(self, field) != self.default(field) and self.attribution_method != owner:
                yield field, f"attribution_method {owner}"
        if self.adaptive and self.nt_type == "vargrad":
            yield "tolerance", "nt_type smoothgrad or smoothgrad_sq"


class DeepLiftShap(DeepLiftShapMethod):
    backward_rule = "rescale"
    gradients = TO_INPUT
    completeness = "on_average"

    name: Literal["deep_lift_shap"] = "deep_lift_shap"
    multiply_by_inputs: MultiplyByInputs = True


class GuidedBackprop(GuidedMethod):
    backward_rule = "guided"
    gradients = TO_INPUT

    name: Literal["guided_backprop"] = "guided_backprop"

    @property
    def yields_rates(self) -> bool:
        return True


class Deconvolution(GuidedMethod):
    backward_rule = "deconvolution"
    gradients = TO_INPUT

    name: Literal["deconvolution"] = "deconvolution"

    @property
    def yields_rates(self) -> bool:
        return True


class GuidedGradCam(AtLayer, GuidedMethod):
    backward_rule = "guided"
    gradients = frozenset({"output_to_input", "output_to_layer"})
    computes_grad_cam = True
    needs_map = True

    name: Literal["guided_grad_cam"] = "guided_grad_cam"
    interpolate_mode: Literal["nearest", "bilinear", "bicubic"] = Field(
        default="nearest", description="How Grad-CAM's map is enlarged to the size of the input."
    )
    attribute_to_layer_input: AtLayerInput = False

    def cost(self, sizes: Sizes) -> Cost:
        """Guided backpropagation, and Grad-CAM."""
        return Cost.of(2, "runs through the model")

    @property
    def yields_rates(self) -> bool:
        return True

    @property
    def at_layer_input(self) -> bool:
        return self.attribute_to_layer_input


class Lrp(LrpMethod):
    gradients = TO_INPUT

    name: Literal["lrp"] = "lrp"
