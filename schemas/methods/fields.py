"""Types of the methods' parameters, with their bounds."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.base import Strict
from schemas.limits import MAX_FRAMES, MAX_INPUT_TENSORS, MAX_SAMPLES, MAX_STEPS
from schemas.tensors import InputBaselines, TensorValue, TensorValues

BaselineName = Literal["zero", "black", "white", "mean", "blur", "pad", "background"]
Baseline = BaselineName | TensorValue | InputBaselines

Quadrature = Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
NoiseTunnelType = Literal["smoothgrad", "smoothgrad_sq", "vargrad"]


def _number_of_steps(value: Any) -> Any:
    if value == "auto":
        raise ValueError(
            "auto is offered by methods that follow a path by themselves; here a number of steps is needed"
        )
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
Frames = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_FRAMES,
        description="Points of the path that the result shows, each with the output there and the attribution added up "
        "so far. They are points of the quadrature itself and cost no rows; with fewer steps there are fewer points.",
    ),
]
StandardError = Annotated[
    Tolerance | None,
    Field(
        description="Stop when the standard error is below this share of the largest attribution; the number of "
        "samples is then the most that are taken. Default: take them all."
    ),
]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
Orders = Annotated[Samples, Field(description="Random orders in which the features are added.")]
Coalitions = Annotated[Samples, Field(description="Random variants of the input to which the linear model is fitted.")]
Stdev = Annotated[float, Field(ge=0.0, le=1e6, description="Standard deviation of the noise, in model space.")]
MultiplyByInputs = Annotated[
    bool,
    Field(
        description="Multiply by the difference between input and baseline, which gives contributions; `false` gives "
        "rates of change."
    ),
]
MultiplyByActivations = Annotated[
    bool,
    Field(
        description="Multiply by the layer's activation, or by its difference from the one on the baseline, which "
        "gives contributions; `false` gives rates of change."
    ),
]
AtLayerInput = Annotated[bool, Field(description="Take the layer's input instead of its output.")]
LayerPath = Annotated[str, Field(min_length=1, max_length=200)]
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
