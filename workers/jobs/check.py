"""Checks a model repository: loads every folder, and runs every supported method once as a job would."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from schemas.errors import InputRejected, JobError
from schemas.model_key import ModelKey
from workers.engine.device.gate import DeviceGate
from workers.engine.device.tf32 import forbid_tf32
from workers.engine.error_trace import causes, frames
from workers.engine.task import Task
from workers.jobs.check_progress import CheckEvent, CheckPosition, CheckRow, CheckStarted
from workers.jobs.check_sample import explain_sample, sample_method
from workers.jobs.tuning import MAX_ERROR_CHARACTERS
from workers.methods.captum_changes import install as install_captum_changes
from workers.models.load_failure import load_failure_card
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel
from workers.repository.folders import model_folders
from workers.settings import WorkerSettings

BEGINNING = CheckPosition()


def check(directories: list[Path]) -> Iterator[CheckRow]:
    """Checks every model of the directories on this machine's device, in this process."""
    return (event for event in check_events(directories) if isinstance(event, CheckRow))


def check_events(directories: list[Path], position: CheckPosition = BEGINNING) -> Iterator[CheckEvent]:
    """Checks the models from a position on. Yields an event before each load and each method, and a row after it."""
    forbid_tf32()
    install_captum_changes()
    settings = WorkerSettings(models=directories)
    device = Device(settings.torch_device(), settings.threads, settings.batch_rows, DeviceGate())
    for number, folder in enumerate(model_folders(directories)):
        if number >= position.models:
            skipped = position.methods if number == position.models else 0
            yield from _check_folder(number, folder, device, skipped)


def _check_folder(number: int, folder: Path, device: Device, skipped: int) -> Iterator[CheckEvent]:
    """Loads a folder and checks its methods, except for the first `skipped`."""
    yield CheckStarted(number, folder.name, "")
    try:
        model = load_model(folder, device)
    except Exception as error:  # a model's own code may raise anything
        card = load_failure_card(folder, error)
        yield CheckRow(
            str(ModelKey(card.name, card.version)), "", "failed", card.error or "", trace=_model_trace(error, folder)
        )
        return
    output = model.card.output
    if output is not None and output.kind_reason is not None and not skipped:
        yield CheckRow(str(model.key), "", "ok", output.kind_reason)
    model.engine.start()
    try:
        for support in model.card.methods[skipped:]:
            yield CheckStarted(number, str(model.key), support.name)
            if support.supported:
                yield _check_method(model, support.name, folder)
            else:
                yield CheckRow(str(model.key), support.name, "not offered", support.reason or "")
    finally:
        model.engine.stop()


def _check_method(model: ResidentModel, name: str, folder: Path) -> CheckRow:
    """Runs one method on the sample of the model's input adapter, in the calling thread."""
    method = sample_method(model, name)
    if method is None:
        return CheckRow(str(model.key), name, "not offered", "not tried: no default layer, or one of too many units")
    task = Task(name)
    started = perf_counter()
    try:
        explain_sample(model, method, task)
    except InputRejected as error:  # the default layer or the sample does not suit the method
        detail = f"not tried: {error.detail}"
        return CheckRow(str(model.key), name, "not offered", detail, task.rows, perf_counter() - started)
    except Exception as error:  # Captum asserts, and a model may raise anything
        took_s = perf_counter() - started
        return CheckRow(str(model.key), name, "failed", _detail(error), task.rows, took_s, _model_trace(error, folder))
    return CheckRow(str(model.key), name, "ok", "", task.rows, perf_counter() - started)


def _detail(error: Exception) -> str:
    """The error in words. It may hold the model's own message, because the sample is no client's data."""
    if isinstance(error, JobError):
        cause = error.__cause__
        return error.detail if cause is None else f"{error.detail}: {cause}"[:MAX_ERROR_CHARACTERS]
    return f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]


def _model_trace(error: Exception, folder: Path) -> str:
    """The frames from the first one in the model's own code on; empty where none is in it."""
    below = str(folder.resolve())
    for cause in causes(error):
        if any(frame.filename.startswith(below) for frame in traceback.extract_tb(cause.__traceback__)):
            return "".join(frames(cause, below)).rstrip()
    return ""
