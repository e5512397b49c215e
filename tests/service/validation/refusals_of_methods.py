"""Requests refused for the parameters of one method: units of layers, features that share a prediction."""

from typing import Any

from service.openapi.examples import NUCLEI
from tests.service.validation.refusals import Loc, Refused, method, picture, row, text


def mask(shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"tensor": {"shape": shape, "data": data}}


ONE_GROUP = mask([1, 30], [7] * 30)
UNIT: Loc = ["method", "neuron_selector"]
LAYER_MASK: Loc = ["method", "layer_mask", "tensor"]

OF_LAYERS = [  # layers and their units
    Refused("guided Grad-CAM at no map", picture(**method("guided_grad_cam", layer="classifier")), ["method", "layer"]),
    Refused("a wide layer upsampled", picture(**method("layer_activation", upsample=True)), ["method", "upsample"]),
    Refused(
        "Grad-CAM's channels upsampled",
        picture(**method("layer_grad_cam", upsample=True, attr_dim_summation=False)),
        ["method", "upsample"],
    ),
    Refused("guided Grad-CAM of a table", row(**method("guided_grad_cam")), ["method", "layer"]),
    Refused(
        "a unit of an unknown layer",
        row(**method("neuron_gradient", layer="hidden9", neuron_selector=0)),
        ["method", "layer"],
    ),
    Refused("no unit", row(**method("neuron_gradient")), UNIT),
    Refused("a negative unit", row(**method("neuron_gradient", neuron_selector=-1)), UNIT),
    Refused("a named unit", row(**method("neuron_gradient", neuron_selector="first")), UNIT),
    Refused("no index of a unit", row(**method("neuron_gradient", neuron_selector=[])), UNIT),
    Refused("a unit out of range", row(**method("neuron_conductance", neuron_selector=16)), UNIT),
    Refused("a unit out of range, listed", row(**method("neuron_gradient", neuron_selector=[16])), [*UNIT, 0]),
    Refused("two indices of a vector", row(**method("neuron_gradient", neuron_selector=[0, 0])), UNIT),
    Refused("one index of a map", picture(**method("neuron_gradient", neuron_selector=3)), UNIT),
    Refused("a column off the map", picture(**method("neuron_deep_lift", neuron_selector=[0, 6, 7])), [*UNIT, 2]),
    Refused("one index of tokens", text(**method("neuron_gradient", neuron_selector=3)), UNIT),
    Refused(
        "ablation of a layer's input of unknown size",
        row(**method("layer_feature_ablation", attribute_to_layer_input=True)),
        ["method", "layer_mask"],
    ),
    Refused("ablation of too many units", picture(**method("layer_feature_ablation")), ["method"]),
    Refused(
        "infinity as layer baseline",
        row(**method("layer_feature_ablation", layer_baselines=float("inf"))),
        ["method", "layer_baselines"],
    ),
    Refused(
        "a layer mask of another shape",
        row(**method("layer_feature_ablation", layer_mask=mask([1, 15], [0] * 15))),
        [*LAYER_MASK, "shape"],
    ),
    Refused(
        "a layer mask with too many rows",
        row(**method("layer_feature_ablation", layer_mask=mask([2, 16], [0] * 32))),
        [*LAYER_MASK, "shape", 0],
    ),
    Refused(
        "a layer mask of an input with too many rows",
        row(**method("layer_feature_ablation", attribute_to_layer_input=True, layer_mask=mask([2, 9], [0] * 18))),
        [*LAYER_MASK, "shape", 0],
    ),
    Refused(
        "a layer mask of another rank for a text",
        text(**method("layer_feature_ablation", layer_mask=mask([1, 384], [0] * 384))),
        [*LAYER_MASK, "shape"],
    ),
    Refused(
        "layer baselines of another shape",
        row(**method("layer_feature_ablation", layer_baselines=mask([1, 15], [0] * 15))),
        ["method", "layer_baselines", "tensor", "shape"],
    ),
    Refused(
        "half a group of units",
        row(**method("layer_feature_ablation", layer_mask=mask([1, 16], [0] * 15 + [0.5]))),
        [*LAYER_MASK, "data", 15],
    ),
]

OF_TOLERANCE = [  # methods that stop by themselves
    Refused("a tolerance without auto", row(**method("integrated_gradients", tolerance=0.01)), ["method", "tolerance"]),
    Refused(
        "no tolerance at all",
        row(**method("integrated_gradients", n_steps="auto", tolerance=0)),
        ["method", "tolerance"],
    ),
    Refused(
        "a rule beside auto",
        row(**method("integrated_gradients", n_steps="auto", method="riemann_left")),
        ["method", "method"],
    ),
    Refused("steps by another word", row(**method("integrated_gradients", n_steps="few")), ["method", "n_steps"]),
    Refused("auto under noise", row(**method("smooth_grad", n_steps="auto")), ["method", "n_steps"]),
    Refused(
        "a tolerance without auto at a layer",
        row(**method("layer_conductance", tolerance=0.1)),
        ["method", "tolerance"],
    ),
    Refused(
        "a tolerance of a variance",
        row(**method("smooth_grad", nt_type="vargrad", tolerance=0.1)),
        ["method", "tolerance"],
    ),
    Refused("a tolerance that nothing heeds", row(**method("lime", tolerance=0.1)), ["method", "tolerance"]),
]
OF_FEATURES = [  # features of the methods that share a prediction out among them
    Refused("permutation of one row", row(**method("feature_permutation")), ["input"]),
    Refused(
        "permutation with a mask per row",
        row(
            input={"features": [NUCLEI] * 2},
            **method("feature_permutation", feature_mask=mask([2, 30], [*range(30)] * 2)),
        ),
        ["method", "feature_mask", "tensor", "shape", 0],
    ),
    Refused("coalitions of thirty columns", row(**method("shapley_values")), ["method", "feature_mask"]),
    Refused(
        "coalitions of a fine grid",
        picture(**method("shapley_values", feature_mask={"grid": [64, 64]})),
        ["method", "feature_mask"],
    ),
    Refused(
        "coalitions of features that have gaps between their numbers",
        row(**method("shapley_values", feature_mask=mask([1, 30], [100 * (i % 15) for i in range(30)]))),
        ["method", "feature_mask"],
    ),
    Refused(
        "coalitions for too many rows",
        row(
            input={"features": [NUCLEI] * 5},
            **method("shapley_values", feature_mask=mask([1, 30], [*range(14), *range(14), 0, 0])),
        ),
        ["method"],
    ),
    Refused("too many orders", row(**method("shapley_value_sampling", n_samples=1000)), ["method"]),
    Refused("a coalition of one", row(**method("kernel_shap", feature_mask=ONE_GROUP)), ["method", "feature_mask"]),
    Refused(
        "a coalition of one tile",
        picture(**method("kernel_shap", feature_mask={"grid": [1, 1]})),
        ["method", "feature_mask"],
    ),
    Refused(
        "a grid over a text", text(**method("lime", feature_mask={"grid": [2, 2]})), ["method", "feature_mask", "grid"]
    ),
    Refused(
        "a distribution of another shape",
        row(**method("deep_lift_shap", baseline=mask([5, 29], [0] * 145))),
        ["method", "baseline", "tensor", "shape"],
    ),
    Refused(
        "too large a distribution",
        row(**method("layer_gradient_shap", baseline=mask([257, 30], [0] * 257 * 30))),
        ["method", "baseline", "tensor", "shape", 0],
    ),
    Refused(
        "a distribution where one baseline is meant",
        row(**method("neuron_deep_lift", neuron_selector=0, baseline=mask([5, 30], [0] * 150))),
        ["method", "baseline", "tensor", "shape", 0],
    ),
]
