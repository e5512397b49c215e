"""Tries a model repository out: loads every folder and runs every offered method once, as a job would."""

import math
import traceback
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from schemas.errors import InputRejected, JobError
from schemas.jobs import JobSpec, Targets
from schemas.methods import METHODS, AnyMethod, stored_fields
from workers.engine.error_trace import causes, frames
from workers.engine.gate import DeviceGate
from workers.engine.precision import forbid_tf32
from workers.engine.task import Task
from workers.inputs.prepared import Payload, Prepared
from workers.jobs.check_row import Begun, CheckRow, Done
from workers.jobs.prepare import make_explain_inputs
from workers.methods.captum_changes import install as install_captum_changes
from workers.methods.explain import explain
from workers.models.load import Device, ResidentModel, failed_to_load, load_model, model_folders
from workers.settings import WorkerSettings

NOTHING = Done()
MANY_ELEMENTS = 1_024  # an example larger than this is ablated by coarse windows
WINDOWS_A_SIDE = 4
FEATURES = 3  # in the masks of the check
MOST_CHARACTERS = 500  # of an error's message
MANY_UNITS = 256  # of a layer that is not ablated unit by unit


def check(directories: list[Path]) -> Iterator[CheckRow]:
    """Checks every model of the directories on this machine's device, in this process."""
    return (step for step in steps(directories) if isinstance(step, CheckRow))


def steps(directories: list[Path], done: Done = NOTHING) -> Iterator[Begun | CheckRow]:
    """`check`, with what is begun before what came of it, and behind what is done."""
    forbid_tf32()
    install_captum_changes()
    settings = WorkerSettings(models=directories)
    device = Device(settings.torch_device(), settings.threads, settings.batch_rows, DeviceGate())
    for number, folder in enumerate(model_folders(directories)):
        if number < done.models:
            continue
        yield Begun(number, folder.name, "")
        try:
            loaded = load_model(folder, device)
        except Exception as error:  # a model's own code may raise anything
            card = failed_to_load(folder, error)
            yield CheckRow(f"{card.name}@{card.version}", "", "failed", card.error or "", trace=_trace(error, folder))
            continue
        output = loaded.card.output
        if output is not None and output.kind_reason is not None and number >= done.models:
            yield CheckRow(loaded.key, "", "ok", output.kind_reason)
        yield from _methods(number, folder, loaded, done.methods if number == done.models else 0)


def _methods(number: int, folder: Path, model: ResidentModel, skipped: int) -> Iterator[Begun | CheckRow]:
    model.engine.start()
    try:
        for support in model.card.methods[skipped:]:
            yield Begun(number, model.key, support.name)
            if support.supported:
                yield _try(model, support.name, folder)
            else:
                yield CheckRow(model.key, support.name, "not offered", support.reason or "")
    finally:
        model.engine.stop()


def _try(model: ResidentModel, name: str, folder: Path) -> CheckRow:
    """Runs one method on the adapter's sample, in the calling thread."""
    method = _method(model, name)
    if method is None:
        return CheckRow(model.key, name, "not offered", "not tried: no default layer, or one of too many units")
    task = Task(name)
    started = perf_counter()
    try:
        _explain(model, name, method, task)
    except InputRejected as error:  # the default layer or sample does not suit the method
        detail = f"not tried: {error.detail}"
        return CheckRow(model.key, name, "not offered", detail, task.rows, perf_counter() - started)
    except Exception as error:  # Captum asserts, and raises what it likes: all of it is the report's business
        took_s = perf_counter() - started
        return CheckRow(model.key, name, "failed", _detail(error), task.rows, took_s, _trace(error, folder))
    return CheckRow(model.key, name, "ok", "", task.rows, perf_counter() - started)


def _explain(model: ResidentModel, name: str, method: AnyMethod, task: Task) -> None:
    prepared = model.adapter.sample(model.engine.view.device)
    spec = JobSpec(
        model=model.card.name,
        version=model.card.version,
        input_kind="tensor",
        examples=1,
        method=stored_fields(method),
        target=_target(model),
    )
    if method.permutes:
        prepared = prepared.twice()
    subject = make_explain_inputs(model, spec, method, _payload(model, prepared), prepared)
    explain(model.engine, task, method, subject)


def _detail(error: Exception) -> str:
    """What went wrong: the sample is the check's own, so the model's message may be told."""
    if isinstance(error, JobError):
        own = error.__cause__
        return error.detail if own is None else f"{error.detail}: {own}"[:MOST_CHARACTERS]
    return f"{type(error).__name__}: {error}"[:MOST_CHARACTERS]


def _trace(error: Exception, folder: Path) -> str:
    """The frames from the first one in the model's own code on; empty where the error came from none of it."""
    below = str(folder.resolve())
    for one in causes(error):
        if any(frame.filename.startswith(below) for frame in traceback.extract_tb(one.__traceback__)):
            return "".join(frames(one, below)).rstrip()
    return ""


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
    if "sliding_window_shapes" in cls.model_fields:
        fields["sliding_window_shapes"] = fields["strides"] = _windows(model)
    if cls.perturbs == "layer" and math.prod(_layer_shape(model, layer)) > MANY_UNITS:
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
