"""The model rows of each method for one example, as factors with names for people. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.cost import counts
from service.validation.inputs import CheckedInput
from service.validation.model import ReadyModel
from service.validation.tensors import Array


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked method with all defaults filled in, and what it is asked about. `arrays` are its tensors."""

    method: Any
    model: ReadyModel
    given: CheckedInput
    arrays: dict[str, Array]


Factors = dict[str, int]
TYPICAL_STEPS = 24  # of `"n_steps": "auto"`


def _steps(a: Asked) -> Factors:
    return {"n_steps": a.method.n_steps}


def _path(a: Asked) -> Factors:
    """`auto` takes no more than any job may; how many rows it will take is known to the worker, step by step."""
    return {"n_steps, typically": TYPICAL_STEPS} if a.method.n_steps == "auto" else _steps(a)


def _samples(a: Asked) -> Factors:
    return {"n_samples": a.method.n_samples}


def _smooth_grad(a: Asked) -> Factors:
    path = _steps(a) if a.method.attribution_method == "integrated_gradients" else {}
    return {"nt_samples": a.method.nt_samples, **path}


def _pair(_: Asked) -> Factors:
    return {"rows for input and baseline": 2}


def _pairs(a: Asked) -> Factors:
    return {"baselines": counts.baselines(a.method, a.model, a.given, a.arrays), **_pair(a)}


def _twice(_: Asked) -> Factors:
    return {"runs through the model": 2}


def _occlusion(a: Asked) -> Factors:
    return {"windows and the input itself": counts.windows(a.method, a.model, a.given) + 1}


def _ablation(a: Asked) -> Factors:
    return {"features and the input itself": _features(a) + 1}


def _features(a: Asked) -> int:
    return counts.features(a.method, a.model, a.given, a.arrays)


def _units(a: Asked) -> Factors:
    units = counts.units(a.method, a.model, a.given, a.arrays)
    return {"units, the layer and the input themselves": units + 2}


FACTORS: dict[str, Callable[[Asked], Factors]] = {  # a method that is not here takes one row
    "integrated_gradients": _path,
    "gradient_shap": _samples,
    "deep_lift": _pair,
    "smooth_grad": _smooth_grad,
    "occlusion": _occlusion,
    "feature_ablation": _ablation,
    "feature_permutation": _ablation,
    "shapley_value_sampling": lambda a: {**_samples(a), "features": _features(a)},
    "shapley_values": lambda a: {"orders": counts.orders(_features(a)), "features": _features(a)},
    "kernel_shap": _samples,
    "lime": _samples,
    "deep_lift_shap": _pairs,
    "guided_grad_cam": _twice,  # guided backpropagation, and Grad-CAM
    "lrp": _twice,  # the rules change weights from one run's activations; the other run is explained
    "layer_integrated_gradients": lambda a: {"n_steps and the layer at both ends": a.method.n_steps + 2},
    "layer_conductance": lambda a: {"points on the path": a.method.n_steps + 1},
    "internal_influence": _steps,
    "layer_gradient_shap": lambda a: {**_samples(a), "rows for gradient, input and baseline": 3},
    "layer_deep_lift": _pair,
    "layer_deep_lift_shap": _pairs,
    "layer_lrp": _twice,
    "layer_feature_ablation": _units,
    "layer_feature_permutation": _units,
    "neuron_integrated_gradients": _steps,
    "neuron_conductance": _steps,
    "neuron_deep_lift": _pair,
    "neuron_deep_lift_shap": _pairs,
    "neuron_gradient_shap": _samples,
    "neuron_feature_ablation": _ablation,
}
