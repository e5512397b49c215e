"""By how much a unit of a layer differs between inputs and baselines."""

from typing import Any

import torch
from captum._utils.gradient import _forward_layer_eval
from torch import Tensor

from workers.engine.engine import Engine
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloRequest
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.solo.hooked_call import location


def unit_differences(engine: Engine, task: Task, method: Any, subject: ExplainInputs) -> Tensor:
    """(examples,) the unit that a neuron method explains, for the inputs, less for their baselines.

    Raises:
        JobError: as `Engine.solo`.
    """
    if subject.baselines is None:
        raise ValueError("a difference needs a baseline")
    ends = tuple(torch.cat(pair) for pair in zip(subject.inputs, subject.baselines, strict=True))
    more = tuple(torch.cat([one, one]) for one in subject.additional_forward_args)
    call = SoloCall(ends, more, None, None)

    def values(view: ModelView, part: SoloCall, _batch_rows: int) -> Tensors:
        module, layer = location(method, view)
        with torch.no_grad():
            (found, *_) = _forward_layer_eval(
                module,
                part.inputs,
                layer,
                part.additional_forward_args or None,
                attribute_to_layer_input=method.attribute_to_neuron_input,
            )
        selector = method.neuron_selector
        unit = (selector,) if isinstance(selector, int) else tuple(selector)
        return (found[(slice(None), *unit)],)

    (units,) = engine.solo(SoloRequest(task, call, values, key=None))
    at_input, at_baseline = torch.split(units, subject.examples)
    return at_input - at_baseline
