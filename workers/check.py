"""Tries a model repository out: loads every folder and runs every offered method once, as a job would."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from schemas.errors import InputRejected, JobError
from schemas.jobs import JobSpec, Targets
from schemas.methods import METHODS, AnyMethod, stored_fields
from schemas.models import ModelCard
from schemas.traits import PERMUTES, PERTURBS_LAYERS
from workers.engine.gate import DeviceGate
from workers.engine.precision import forbid_tf32
from workers.engine.task import Task
from workers.explain import explain
from workers.inputs.prepared import Payload, Prepared
from workers.problem import make_problem
from workers.resident import Device, ResidentModel, load_all
from workers.settings import WorkerSettings

MANY_ELEMENTS = 1_024  # an example larger than this is ablated by coarse windows
WINDOWS_A_SIDE = 4
FEATURES = 3  # in the masks of the check
MANY_UNITS = 256  # of a layer that is not ablated unit by unit


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the report. `method` is empty for a model that failed to load."""

    model: str
    method: str
    ok: bool
    detail: str
    rows: int = 0
    seconds: float = 0.0


def check(directories: list[Path]) -> Iterator[CheckRow]:
    """Checks every model of the directories on this machine's device."""
    forbid_tf32()
    settings = WorkerSettings(models=directories)
    device = Device(settings.torch_device(), settings.threads, settings.batch_rows, DeviceGate())
    for loaded in load_all(directories, device):
        if isinstance(loaded, ModelCard):
            yield CheckRow(f"{loaded.name}@{loaded.version}", "", False, loaded.error or "failed to load")
            continue
        loaded.engine.start()
        try:
            for support in loaded.card.methods:
                if support.supported:
                    yield _try(loaded, support.name)
                else:
                    yield CheckRow(loaded.key, support.name, True, f"not offered: {support.reason}")
        finally:
            loaded.engine.stop()


def _try(model: ResidentModel, name: str) -> CheckRow:
    """Runs one method on the adapter's sample, in the calling thread."""
    method = _method(model, name)
    if method is None:
        return CheckRow(model.key, name, True, "not tried: no default layer, or one of too many units")
    task = Task(name)
    started = perf_counter()
    try:
        prepared = model.adapter.sample(model.engine.view.device)
        spec = JobSpec(
            model=model.card.name,
            version=model.card.version,
            input_kind="tensor",
            examples=1,
            method=stored_fields(method),
            target=_target(model),
        )
        if name in PERMUTES:
            prepared = prepared.twice()
        problem = make_problem(model, spec, method, _payload(model, prepared), prepared)
        explain(model.engine, task, method, problem)
    except InputRejected as error:  # the default layer or sample does not suit the method
        return CheckRow(model.key, name, True, f"not tried: {error.detail}", task.rows, perf_counter() - started)
    except JobError as error:
        return CheckRow(model.key, name, False, error.detail, task.rows, perf_counter() - started)
    except Exception as error:  # Captum asserts, and raises what it likes: all of it is the report's business
        detail = f"{type(error).__name__}: {error}"[:300]
        return CheckRow(model.key, name, False, detail, task.rows, perf_counter() - started)
    return CheckRow(model.key, name, True, "works", task.rows, perf_counter() - started)


def _method(model: ResidentModel, name: str) -> AnyMethod | None:
    """The method with its defaults, and with windows that keep the check short; None without the layer it needs."""
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
    if name in PERTURBS_LAYERS and math.prod(_layer_shape(model, layer)) > MANY_UNITS:
        return None
    method: AnyMethod = cls(**fields)
    return method


def _layer_shape(model: ResidentModel, layer: str | None) -> list[int]:
    return next((one.output_shape for one in model.card.layers if one.name == layer), None) or [1]


def _target(model: ResidentModel) -> Targets | None:
    """The predicted class; of outputs with places, the first one."""
    shape = model.card.output.shape if model.card.output else []
    return [[0] * len(shape)] if len(shape) > 1 else None


def _payload(model: ResidentModel, prepared: Prepared) -> Payload:
    """A mask of few features, since some methods take time exponential in their number; a text's sample is short."""
    if model.config.input.kind == "text":
        return {}
    masks: Payload = {}
    for index, tensor in enumerate(prepared.inputs):
        elements = torch.arange(tensor[0].numel()) * FEATURES // tensor[0].numel()
        masks[f"feature_mask.{index}"] = elements.reshape(1, *tensor.shape[1:])
    return masks


def _windows(model: ResidentModel) -> list[int] | list[list[int]]:
    """A quarter of each side of a picture, else each element or coarse pieces of many."""
    windows = []
    for shape in model.card.input.shapes if model.card.input else []:
        coarse = math.prod(shape) > MANY_ELEMENTS
        window = [max(1, side // WINDOWS_A_SIDE) if coarse else 1 for side in shape]
        windows.append([shape[0], *window[1:]] if model.config.input.kind == "image" else window)
    return windows if len(windows) > 1 else windows[0]
