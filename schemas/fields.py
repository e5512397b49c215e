"""Types and base classes that the methods' parameters are made of."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.base import Strict
from schemas.limits import MAX_INPUT_TENSORS, MAX_SAMPLES, MAX_STEPS
from schemas.tensors import InputBaselines, TensorValue, TensorValues

BaselineName = Literal["zero", "black", "white", "mean", "blur", "pad", "background"]
Baseline = BaselineName | TensorValue | InputBaselines

Quadrature = Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
NoiseTunnelType = Literal["smoothgrad", "smoothgrad_sq", "vargrad"]


def _number_of_steps(value: Any) -> Any:
    if value == "auto":
        raise ValueError("auto is offered by integrated_gradients; here a number of steps is needed")
    return value


Steps = Annotated[
    int,
    BeforeValidator(_number_of_steps),
    Field(ge=2, le=MAX_STEPS, description="Points on the path from baseline to input."),
]
AutoSteps = Annotated[
    Annotated[int, Field(ge=2, le=MAX_STEPS)] | Literal["auto"],
    Field(description="Points on the path from baseline to input; `auto`: as few as `tolerance` allows."),
]
Tolerance = Annotated[float, Field(ge=1e-6, le=1.0)]
StandardError = Annotated[
    Tolerance | None,
    Field(
        description="Stop when the standard error is below this share of the largest attribution; the number of "
        "samples is then the most that are taken. Default: take them all."
    ),
]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
Stdev = Annotated[float, Field(ge=0.0, le=1e6, description="Standard deviation of the noise, in model space.")]
LayerPath = Annotated[str, Field(min_length=1, max_length=200, description="A module path as in `named_modules`.")]
Extent = Annotated[int, Field(ge=1, le=1_000_000)]
Window = Annotated[list[Extent], Field(min_length=1, max_length=7)]
Windows = Window | Annotated[list[Window], Field(min_length=1, max_length=MAX_INPUT_TENSORS)]
Unit = Annotated[int, Field(ge=0, le=1_000_000_000)]
NeuronSelector = Annotated[
    Unit | Annotated[list[Unit], Field(min_length=1, max_length=7)],
    Field(description="One unit of the layer's output: an index, or one per dimension, batch left out."),
]


class Grid(Strict):
    """A feature mask of equal rectangles: `[rows, columns]` over the picture."""

    grid: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=2, max_length=2)]


class Superpixels(Strict):
    """A feature mask of about so many regions of similar colour (SLIC, Achanta et al. 2012)."""

    superpixels: Annotated[int, Field(ge=2, le=1000)]


TextUnit = Literal["tokens", "words"]
FeatureMask = Grid | Superpixels | TextUnit | TensorValue | TensorValues


class BaselineMethod(Strict):
    baseline: Baseline | None = Field(
        default=None,
        description="What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the "
        "model card's.",
    )


class PathMethod(BaselineMethod):
    n_steps: Steps = 50
    method: Quadrature = Field(default="gausslegendre", description="Quadrature rule along the path.")


class WeightedPathMethod(PathMethod):
    multiply_by_inputs: bool = True


class SampledMethod(BaselineMethod):
    """Noisy points between input and a distribution of baselines."""

    n_samples: Samples = 5
    stdevs: Stdev = 0.0
    multiply_by_inputs: bool = True


class FeatureMethod(Strict):
    feature_mask: FeatureMask | None = Field(
        default=None,
        description="Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a "
        "text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.",
    )


class AtLayer(Strict):
    layer: LayerPath | None = Field(default=None, description="The model card's default when not given.")


class LayerMethod(AtLayer):
    """The answer has the shape of the layer."""

    attribute_to_layer_input: bool = False
    upsample: bool = Field(
        default=False, description="Interpolate the layer's map to the input's height and width (images only)."
    )


class NeuronMethod(AtLayer):
    """The answer has the shape of the input; explained is one unit of a layer."""

    neuron_selector: NeuronSelector
    attribute_to_neuron_input: bool = False
