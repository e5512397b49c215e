"""One method on a model's sample input, with parameters that keep a check short."""

import math
from typing import Any

import torch

from schemas.jobs import JobSpec, Targets
from schemas.methods import METHODS, AnyMethod, stored_fields
from schemas.traits import PERMUTES, PERTURBS_LAYERS
from workers.engine.task import Task
from workers.inputs.prepared import Payload, Prepared
from workers.jobs.prepare import make_explain_inputs
from workers.jobs.tuning import LARGE_EXAMPLE_ELEMENTS, MASK_FEATURES, MAX_ABLATED_UNITS, WINDOWS_PER_SIDE
from workers.methods.explain import explain
from workers.models.load import ResidentModel


def sample_method(model: ResidentModel, name: str) -> AnyMethod | None:
    """The method with its defaults, at the model's default layer and with few windows.

    None for a method that needs a layer where the model has no default one, or that would perturb too many units of it.
    """
    cls: type[Any] = METHODS[name]
    fields: dict[str, Any] = {}
    layer = model.card.defaults.layer if model.card.defaults else None
    if "layer" in cls.model_fields:
        if layer is None:
            return None
        fields["layer"] = layer
    if "neuron_selector" in cls.model_fields:
        fields["neuron_selector"] = [0] * len(_layer_shape(model, layer))
    if name == "occlusion":
        fields["sliding_window_shapes"] = fields["strides"] = _windows(model)
    if name in PERTURBS_LAYERS and math.prod(_layer_shape(model, layer)) > MAX_ABLATED_UNITS:
        return None
    method: AnyMethod = cls(**fields)
    return method


def explain_sample(model: ResidentModel, method: AnyMethod, task: Task) -> None:
    """Runs a method on the sample of the model's input adapter. Parks in the engine; `task` counts the rows.

    Raises:
        InputRejected: the sample or the layer does not suit the method.
        Whatever Captum or the model raises.
    """
    prepared = model.adapter.sample(model.engine.view.device)
    if method.name in PERMUTES:
        prepared = prepared.twice()
    spec = JobSpec(
        model=model.card.name,
        version=model.card.version,
        input_kind="tensor",
        examples=1,
        method=stored_fields(method),
        target=_target(model),
    )
    subject = make_explain_inputs(model, spec, method, _feature_masks(model, prepared), prepared)
    explain(model.engine, task, method, subject)


def _layer_shape(model: ResidentModel, layer: str | None) -> list[int]:
    """The shape of one example's output at a layer; [1] where it is unknown."""
    return next((one.output_shape for one in model.card.layers if one.name == layer), None) or [1]


def _target(model: ResidentModel) -> Targets | None:
    """None, for the predicted class; the first position of outputs that have positions."""
    shape = model.card.output.shape if model.card.output else []
    return [[0] * len(shape)] if len(shape) > 1 else None


def _feature_masks(model: ResidentModel, prepared: Prepared) -> Payload:
    """A mask of `MASK_FEATURES` features for each input; none for a text, whose sample is short."""
    if model.config.input.kind == "text":
        return {}
    masks: Payload = {}
    for index, tensor in enumerate(prepared.inputs):
        count = tensor[0].numel()
        features = torch.arange(count) * MASK_FEATURES // count
        masks[f"feature_mask.{index}"] = features.reshape(1, *tensor.shape[1:])
    return masks


def _windows(model: ResidentModel) -> list[int] | list[list[int]]:
    """The occlusion window of each input: a part of each side of a large example, else one element.

    A window of a picture covers all channels.
    """
    windows = []
    for shape in model.card.input.shapes if model.card.input else []:
        is_large = math.prod(shape) > LARGE_EXAMPLE_ELEMENTS
        window = [max(1, side // WINDOWS_PER_SIDE) if is_large else 1 for side in shape]
        windows.append([shape[0], *window[1:]] if model.config.input.kind == "image" else window)
    return windows if len(windows) > 1 else windows[0]
