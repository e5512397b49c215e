"""The JSON objects of requests.

Written by `client/generate_types.py` from the service's OpenAPI description; do not edit.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class _CompareRequestRequired(TypedDict):
    input: Input
    models: list[str]


class CompareRequest(_CompareRequestRequired, total=False):
    """A request to explain one input several times: by each method, for each target, of each model.

    models: Names of models, each with `@version` where it is not the highest one.
    methods: Methods, as `method` of `POST /explain`. Default: each model's default method.
    targets: Targets, as `target` of `POST /explain`; null is the predicted class, the default.
    """

    methods: list[Method] | None
    targets: list[Target | None] | None
    seed: int
    priority: Literal["interactive", "batch"]


class Completeness(TypedDict, total=False):
    """Do the attributions add up to f(input) - f(baseline)? (Sundararajan, Taly and Yan 2017)"""

    name: Literal["completeness"]


class Deconvolution(TypedDict, total=False):
    """Fields:

    name: Selects this method.
    """

    name: Literal["deconvolution"]


class DeepLift(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    eps: Where the input of a nonlinearity differs by less than this from its value on the baseline, the plain
        gradient takes the place of the quotient of the differences.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["deep_lift"]
    multiply_by_inputs: bool
    eps: float


class DeepLiftShap(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["deep_lift_shap"]
    multiply_by_inputs: bool


class DeletionInsertion(TypedDict, total=False):
    """How fast does the output change as the strongest features are deleted or inserted? (Petsiuk et al. 2018)

    n_steps: Points of each curve after its first.
    deletion_baseline: Replaces deleted features. Default: the method's baseline, else the model's.
    insertion_baseline: The start of insertion. Default: blur for pictures, else as for deletion.
    """

    name: Literal["deletion_insertion"]
    n_steps: int
    deletion_baseline: BaselineName | None
    insertion_baseline: BaselineName | None


class _ExplainRequestRequired(TypedDict):
    model: str
    input: Input


class ExplainRequest(_ExplainRequestRequired, total=False):
    """A request for an explanation: how much did each input contribute to this prediction?

    method: Default: the model card's default method.
    target: The output to explain: an index, a label, or a list with one per example. Default: the predicted
        class. For an output of several dimensions, such as a map per class: `[class, y, x]`, or a list of them,
        one per example, with null for the class predicted at that position.
    quality: Metrics of the explanation's quality, computed with it.
    """

    version: str | None
    method: Method | None
    target: Target | None
    quality: list[Metric]
    seed: int
    priority: Literal["interactive", "batch"]


class FeatureAblation(TypedDict, total=False):
    """Fields:

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["feature_ablation"]


class FeaturePermutation(TypedDict, total=False):
    """Features are exchanged between the examples of the request, of which there must be several.

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    name: Selects this method.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    name: Literal["feature_permutation"]


class FeaturesInput(TypedDict):
    """One table row `{name: value}`, or a list of rows, in the table's own units."""

    features: dict[str, float] | list[dict[str, float]]


class GradientShap(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_samples: Random points between the input and the baselines.
    stdevs: Standard deviation of the noise, in model space.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_samples: int
    stdevs: float
    multiply_by_inputs: bool
    name: Literal["gradient_shap"]


class Grid(TypedDict):
    """A feature mask of equal rectangles: `[rows, columns]` over the picture."""

    grid: list[int]


class GuidedBackprop(TypedDict, total=False):
    """Fields:

    name: Selects this method.
    """

    name: Literal["guided_backprop"]


class GuidedGradCam(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    name: Selects this method.
    interpolate_mode: How Grad-CAM's map is enlarged to the size of the input.
    attribute_to_layer_input: Take the layer's input instead of its output.
    """

    layer: str | None
    name: Literal["guided_grad_cam"]
    interpolate_mode: Literal["nearest", "bilinear", "bicubic"]
    attribute_to_layer_input: bool


class ImageInput(TypedDict):
    """One picture, or a list of pictures of one size, each an example: PNG, JPEG or WebP files as base64, by
    themselves or in data URIs."""

    image: str | list[str]


class Infidelity(TypedDict, total=False):
    """How well do the attributions predict the effect of perturbations on the output? (Yeh et al. 2019)

    n_perturb_samples: Perturbed copies of each example.
    normalize: First scale the attributions by the best-fitting factor, to compare methods with different units.
    perturbation: noise: Gaussian, on every element. baseline: a random half of the features is replaced by the
        baseline. Default: baseline for methods that distribute a difference of outputs, noise for gradients.
    stdevs: Standard deviation of the noise, relative to the input's.
    """

    name: Literal["infidelity"]
    n_perturb_samples: int
    normalize: bool
    perturbation: Literal["noise", "baseline"] | None
    stdevs: float


class InputBaselines(TypedDict):
    """A baseline per input of the model: a tensor, or zero everywhere."""

    tensors: list[Tensor | Literal["zero"]]


class InputXGradient(TypedDict, total=False):
    """Fields:

    name: Selects this method.
    """

    name: Literal["input_x_gradient"]


class IntegratedGradients(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    tolerance: With `auto`: the completeness error to stop at, relative to the difference of the outputs for input
        and baseline. Default: 0.01.
    frames: Points of the path that the result shows, each with the output there and the attribution added up so
        far. They are points of the quadrature itself and cost no rows; with fewer steps there are fewer points.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["integrated_gradients"]
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    multiply_by_inputs: bool
    tolerance: float | None
    frames: int


class InternalInfluence(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    tolerance: With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of
        the attributions themselves. Default: 0.01.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    tolerance: float | None
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["internal_influence"]


class KernelShap(TypedDict, total=False):
    """Fields:

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    n_samples: Random variants of the input to which the linear model is fitted.
    tolerance: Stop when the standard error is below this share of the largest attribution; the number of samples
        is then the most that are taken. Default: take them all.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["kernel_shap"]
    n_samples: int
    tolerance: float | None


class LayerActivation(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_activation"]


class LayerConductance(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    tolerance: With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of
        the attributions themselves. Default: 0.01.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    tolerance: float | None
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_conductance"]


class LayerDeepLift(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    multiply_by_inputs: Multiply by the layer's activation, or by its difference from the one on the baseline,
        which gives contributions; `false` gives rates of change.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_deep_lift"]
    multiply_by_inputs: bool


class LayerDeepLiftShap(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    multiply_by_inputs: Multiply by the layer's activation, or by its difference from the one on the baseline,
        which gives contributions; `false` gives rates of change.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_deep_lift_shap"]
    multiply_by_inputs: bool


class LayerFeatureAblation(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    layer_mask: Which units are one feature, of the layer's shape. Default: each by itself.
    name: Selects this method.
    layer_baselines: What a unit is set to when it is taken away: one number, or a tensor of the layer's shape.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    layer_mask: TensorValue | None
    name: Literal["layer_feature_ablation"]
    layer_baselines: float | TensorValue


class LayerFeaturePermutation(TypedDict, total=False):
    """Units are exchanged between the examples of the request, of which there must be several.

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    layer_mask: Which units are one feature, of the layer's shape. Default: each by itself.
    name: Selects this method.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    layer_mask: TensorValue | None
    name: Literal["layer_feature_permutation"]


class LayerGradCam(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    relu_attributions: Keep only what is positive, as the paper does; `false` keeps the sign.
    attr_dim_summation: Whether the weighted maps of all channels are summed, or kept apart.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_grad_cam"]
    relu_attributions: bool
    attr_dim_summation: bool


class LayerGradientShap(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_samples: Random points between the input and the baselines.
    stdevs: Standard deviation of the noise, in model space.
    multiply_by_inputs: Multiply by the layer's activation, or by its difference from the one on the baseline,
        which gives contributions; `false` gives rates of change.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_samples: int
    stdevs: float
    multiply_by_inputs: bool
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_gradient_shap"]


class LayerGradientXActivation(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    multiply_by_inputs: Multiply by the layer's activation, or by its difference from the one on the baseline,
        which gives contributions; `false` gives rates of change.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_gradient_x_activation"]
    multiply_by_inputs: bool


class LayerIntegratedGradients(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    tolerance: With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of
        the attributions themselves. Default: 0.01.
    multiply_by_inputs: Multiply by the layer's activation, or by its difference from the one on the baseline,
        which gives contributions; `false` gives rates of change.
    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    tolerance: float | None
    multiply_by_inputs: bool
    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_integrated_gradients"]


class LayerLrp(TypedDict, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    attribute_to_layer_input: Take the layer's input instead of its output.
    upsample: Interpolate the layer's map to the input's height and width (images only).
    name: Selects this method.
    """

    layer: str | None
    attribute_to_layer_input: bool
    upsample: bool
    name: Literal["layer_lrp"]


class Lime(TypedDict, total=False):
    """Fields:

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    n_samples: Random variants of the input to which the linear model is fitted.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["lime"]
    n_samples: int


class Lrp(TypedDict, total=False):
    """Fields:

    name: Selects this method.
    """

    name: Literal["lrp"]


class _NeuronConductanceRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronConductance(_NeuronConductanceRequired, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    tolerance: With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of
        the attributions themselves. Default: 0.01.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    tolerance: float | None
    multiply_by_inputs: bool
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_conductance"]


class _NeuronDeconvolutionRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronDeconvolution(_NeuronDeconvolutionRequired, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_deconvolution"]


class _NeuronDeepLiftRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronDeepLift(_NeuronDeepLiftRequired, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_deep_lift"]
    multiply_by_inputs: bool


class _NeuronDeepLiftShapRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronDeepLiftShap(_NeuronDeepLiftShapRequired, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_deep_lift_shap"]
    multiply_by_inputs: bool


class _NeuronFeatureAblationRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronFeatureAblation(_NeuronFeatureAblationRequired, total=False):
    """Fields:

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_feature_ablation"]


class _NeuronGradientRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronGradient(_NeuronGradientRequired, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_gradient"]


class _NeuronGradientShapRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronGradientShap(_NeuronGradientShapRequired, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_samples: Random points between the input and the baselines.
    stdevs: Standard deviation of the noise, in model space.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_samples: int
    stdevs: float
    multiply_by_inputs: bool
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_gradient_shap"]


class _NeuronGuidedBackpropRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronGuidedBackprop(_NeuronGuidedBackpropRequired, total=False):
    """Fields:

    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_guided_backprop"]


class _NeuronIntegratedGradientsRequired(TypedDict):
    neuron_selector: int | list[int]


class NeuronIntegratedGradients(_NeuronIntegratedGradientsRequired, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    n_steps: Points on the path from baseline to input; `auto`: as few as `tolerance` allows.
    method: Quadrature rule along the path.
    tolerance: With `auto`: the error to stop at, of the sum where attributions add up to a difference, else of
        the attributions themselves. Default: 0.01.
    multiply_by_inputs: Multiply by the difference between input and baseline, which gives contributions; `false`
        gives rates of change.
    layer: A module path as in `named_modules`. Default: the model card's.
    neuron_selector: One unit of the layer's output: an index, or one per dimension, batch left out.
    attribute_to_neuron_input: Take the unit of the layer's input instead of its output.
    name: Selects this method.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    n_steps: int | Literal["auto"]
    method: Literal["gausslegendre", "riemann_left", "riemann_middle", "riemann_right", "riemann_trapezoid"]
    tolerance: float | None
    multiply_by_inputs: bool
    layer: str | None
    attribute_to_neuron_input: bool
    name: Literal["neuron_integrated_gradients"]


class Occlusion(TypedDict, total=False):
    """Fields:

    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    sliding_window_shapes: Window over one example: (C, H, W) for images, (tokens,) for text, (features,) for
        tables; or a list of windows, one per input of the model.
    strides: Step of the window along each dimension; or a list of them, one per input. Default: one, where a
        window is given.
    """

    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["occlusion"]
    sliding_window_shapes: list[int] | list[list[int]] | None
    strides: list[int] | list[list[int]] | None


class Randomization(TypedDict, total=False):
    """Does the explanation change when the model's parameters are randomized? (Adebayo et al. 2018)

    order: cascading: from the output to the input, earlier parts stay random. independent: one part at a time.
    stages: Parts of about equally many layers.
    """

    name: Literal["randomization"]
    order: Literal["cascading", "independent"]
    stages: int


class Saliency(TypedDict, total=False):
    """Fields:

    name: Selects this method.
    abs: Absolute values; `false` keeps the sign of the gradient.
    """

    name: Literal["saliency"]
    abs: bool


class SensitivityMax(TypedDict, total=False):
    """How much does the explanation change under small perturbations of the input? (Yeh et al. 2019)

    perturb_radius: Radius of the uniform noise on every element, in model space.
    n_perturb_samples: Perturbed copies of each example.
    """

    name: Literal["sensitivity_max"]
    perturb_radius: float
    n_perturb_samples: int


class ShapleyValueSampling(TypedDict, total=False):
    """Fields:

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    n_samples: Random orders in which the features are added.
    tolerance: Stop when the standard error is below this share of the largest attribution; the number of samples
        is then the most that are taken. Default: take them all.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["shapley_value_sampling"]
    n_samples: int
    tolerance: float | None


class ShapleyValues(TypedDict, total=False):
    """Every order of the features, from the outputs of every coalition.

    feature_mask: Which elements are one feature: `grid` or `superpixels` over a picture, `words` or `tokens` of a
        text, a tensor, or `tensors`, one per input. Default: a grid, each token, each column, each element.
    baseline: What 'absent' means: a name, a tensor, or `tensors`, one per input of the model. Default: the model
        card's.
    name: Selects this method.
    """

    feature_mask: Grid | Superpixels | Literal["tokens", "words"] | TensorValue | TensorValues | None
    baseline: BaselineName | TensorValue | InputBaselines | None
    name: Literal["shapley_values"]


class SmoothGrad(TypedDict, total=False):
    """Captum's NoiseTunnel over a gradient method; `abs` belongs to saliency, `n_steps` and `baseline` to IG.

    name: Selects this method.
    attribution_method: The method that explains each noisy copy.
    nt_type: What is taken of the copies' attributions. `smoothgrad`: the mean; `smoothgrad_sq`: the mean of the
        squares; `vargrad`: the variance.
    nt_samples: Noisy copies of the input.
    stdevs: Standard deviation of the noise, in model space.
    abs: With `saliency`: absolute values; `false` keeps the sign of the gradient.
    n_steps: With `integrated_gradients`: points on the path from baseline to input.
    baseline: With `integrated_gradients`: what 'absent' means. Default: the model card's.
    tolerance: Stop when the standard error is below this share of the largest attribution; the number of samples
        is then the most that are taken. Default: take them all.
    """

    name: Literal["smooth_grad"]
    attribution_method: Literal["saliency", "input_x_gradient", "integrated_gradients"]
    nt_type: Literal["smoothgrad", "smoothgrad_sq", "vargrad"]
    nt_samples: int
    stdevs: float
    abs: bool
    n_steps: int
    baseline: BaselineName | TensorValue | InputBaselines | None
    tolerance: float | None


class Superpixels(TypedDict):
    """A feature mask of about so many regions of similar colour (SLIC, Achanta et al. 2012)."""

    superpixels: int


class _TensorRequired(TypedDict):
    shape: list[int]
    data: list[float]


class Tensor(_TensorRequired, total=False):
    """A whole tensor. `data` is row-major, one number per element: flat, or nested like the shape.

    data: Row-major, one number per element: flat, or nested like the shape.
    """

    name: str
    datatype: Literal["BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64"]


class TensorInput(TypedDict):
    """A model-ready tensor, batch first. Preprocessing is skipped."""

    tensor: Tensor


class TensorValue(TypedDict):
    """A parameter given as a tensor, such as a baseline or a feature mask."""

    tensor: Tensor


class TensorValues(TypedDict):
    """A parameter given as one tensor per input of the model."""

    tensors: list[Tensor]


class TensorsInput(TypedDict):
    """Model-ready tensors for a model with several inputs, batch first."""

    tensors: list[Tensor]


class TextInput(TypedDict):
    """One text in natural language, or a list of texts with equally many tokens, each an example."""

    text: str | list[str]


BaselineName = Literal["zero", "black", "white", "mean", "blur", "pad", "background"]

Input = ImageInput | TextInput | FeaturesInput | TensorInput | TensorsInput

MethodName = Literal[
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "gradient_shap",
    "deep_lift",
    "smooth_grad",
    "deep_lift_shap",
    "guided_backprop",
    "deconvolution",
    "guided_grad_cam",
    "lrp",
    "occlusion",
    "feature_ablation",
    "feature_permutation",
    "shapley_value_sampling",
    "shapley_values",
    "kernel_shap",
    "lime",
    "layer_grad_cam",
    "layer_integrated_gradients",
    "layer_gradient_x_activation",
    "layer_activation",
    "layer_conductance",
    "internal_influence",
    "layer_gradient_shap",
    "layer_deep_lift",
    "layer_deep_lift_shap",
    "layer_lrp",
    "layer_feature_ablation",
    "layer_feature_permutation",
    "neuron_gradient",
    "neuron_integrated_gradients",
    "neuron_conductance",
    "neuron_deep_lift",
    "neuron_deep_lift_shap",
    "neuron_gradient_shap",
    "neuron_guided_backprop",
    "neuron_deconvolution",
    "neuron_feature_ablation",
]

Method = (
    MethodName
    | Saliency
    | InputXGradient
    | IntegratedGradients
    | GradientShap
    | DeepLift
    | SmoothGrad
    | DeepLiftShap
    | GuidedBackprop
    | Deconvolution
    | GuidedGradCam
    | Lrp
    | Occlusion
    | FeatureAblation
    | FeaturePermutation
    | ShapleyValueSampling
    | ShapleyValues
    | KernelShap
    | Lime
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

Metric = (
    Literal["completeness", "infidelity", "sensitivity_max", "deletion_insertion", "randomization"]
    | Completeness
    | Infidelity
    | SensitivityMax
    | DeletionInsertion
    | Randomization
)

Target = int | str | list[int | str | None] | list[list[int | str | None]]
