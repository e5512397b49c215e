"""Families of methods: base classes with the parameters and the nature that several methods share."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from schemas.methods.base import BaselineUse, BaseMethod
from schemas.methods.cost import TYPICAL_DOUBLED_STEPS, Cost, Sizes
from schemas.methods.fields import (
    AtLayerInput,
    AutoSteps,
    Baseline,
    FeatureMask,
    LayerPath,
    MultiplyByInputs,
    NeuronSelector,
    Quadrature,
    Samples,
    Stdev,
    Tolerance,
)


class BaselineMethod(BaseMethod):
    """Absent elements of the input have the values of a baseline."""

    baselines: ClassVar[BaselineUse] = "single"

    baseline: Baseline | None = Field(
        default=None,
        description="What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the "
        "model card's.",
    )


class PathMethod(BaselineMethod):
    """Gradients at points of the straight path from baseline to input."""

    n_steps: AutoSteps = 50
    method: Quadrature = Field(default="gausslegendre", description="Quadrature rule along the path.")
    tolerance: Tolerance | None = Field(
        default=None,
        description="With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of "
        "the attributions themselves. Default: 0.01.",
    )

    def cost(self, sizes: Sizes) -> Cost:
        """With `auto` an estimate: the number of steps depends on the model and the input."""
        if self.n_steps == "auto":
            return Cost.of(TYPICAL_DOUBLED_STEPS, "n_steps, typically")
        return Cost.of(self.n_steps, "n_steps")

    @property
    def adaptive(self) -> bool:
        return self.n_steps == "auto"

    def unused_parameters(self) -> Iterator[tuple[str, str]]:
        if not self.adaptive and self.tolerance is not None:
            yield "tolerance", "n_steps auto"


class WeightedPathMethod(PathMethod):
    """Path gradients, by default multiplied by input - baseline."""

    multiply_by_inputs: MultiplyByInputs = True


class SampledMethod(BaselineMethod):
    """Noisy points between input and a distribution of baselines."""

    baselines = "distribution"
    draws = True
    noisy_samples = "n_samples"

    n_samples: Samples = Field(default=5, description="Random points between the input and the baselines.")
    stdevs: Stdev = 0.0
    multiply_by_inputs: MultiplyByInputs = True

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(self.n_samples, "n_samples")


class FeatureMethod(BaseMethod):
    """Features of the input are altered, one by one or in groups."""

    perturbs = "input"

    feature_mask: FeatureMask | None = Field(
        default=None,
        description="Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a "
        "text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.",
    )

    def objection_to(self, features: int) -> str | None:
        """Why the method is not defined for an example of so many features; None if it is."""
        return None


class AblationMethod(FeatureMethod):
    """Each feature is altered once."""

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(sizes.features + 1, "features and the input itself")


class DeepLiftMethod(BaselineMethod):
    """DeepLIFT's rules on an example and its baseline, which go through the model in one pass."""

    lane = "solo"
    rules = "deep_lift"
    needs_batch = True
    rows_in_pass = 2

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(2, "rows for input and baseline")


class DeepLiftShapMethod(DeepLiftMethod):
    """DeepLIFT's mean over a distribution of baselines."""

    baselines = "distribution"

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(sizes.baselines, "baselines") * super().cost(sizes)


class GuidedMethod(BaseMethod):
    """The backward pass through every ReLU is replaced."""

    lane = "solo"
    rules = "guided"
    needs_batch = True


class LrpMethod(BaseMethod):
    """Layer-wise relevance propagation: its rules take activations from a first run and explain a second one."""

    lane = "solo"
    rules = "lrp"
    needs_batch = True

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(2, "runs through the model")


class AtLayer(BaseMethod):
    """A layer of the model is hooked."""

    lane = "solo"

    layer: LayerPath | None = Field(
        default=None, description="A module path as in `named_modules`. Default: the model card's."
    )


class LayerMethod(AtLayer):
    """The attributions have the shape of the layer."""

    kind = "layer"
    gradients = frozenset({"output_to_layer"})

    attribute_to_layer_input: AtLayerInput = False
    upsample: bool = Field(
        default=False, description="Interpolate the layer's map to the input's height and width (images only)."
    )

    @property
    def at_layer_input(self) -> bool:
        return self.attribute_to_layer_input


class NeuronMethod(AtLayer):
    """The attributions have the shape of the input; explained is one unit of a layer."""

    kind = "neuron"
    gradients = frozenset({"unit_to_input"})

    neuron_selector: NeuronSelector
    attribute_to_neuron_input: bool = Field(
        default=False, description="Take the unit of the layer's input instead of its output."
    )

    @property
    def at_layer_input(self) -> bool:
        return self.attribute_to_neuron_input
