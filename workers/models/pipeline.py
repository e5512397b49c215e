"""From a folder of the model repository to a model that is ready to explain: `load_model` lists the steps."""

from collections.abc import Callable
from pathlib import Path

import structlog
import torch
from torch import nn

from schemas.model_key import ModelKey
from workers.engine.batch_size import fits, forward_rows, tune_rows
from workers.engine.device.threads import threads_within
from workers.engine.engine import Engine
from workers.engine.randomness.stream import RandomStream
from workers.inputs.image import ImageAdapter
from workers.inputs.prepared import InputAdapter
from workers.inputs.tabular import TabularAdapter
from workers.inputs.tensor import TensorAdapter
from workers.inputs.text import TextAdapter, read_tokenizer
from workers.models.card import make_card
from workers.models.completion import usable_model
from workers.models.digest import model_digest
from workers.models.loaders import load_module
from workers.models.loaders.loaded_module import LoadedModule
from workers.models.loaders.weights import read_background
from workers.models.measurements.measured import Disproved
from workers.models.measurements.reuse import load_with_cache
from workers.models.module_copies import add_hookable_module, add_optimized_module, add_rule_modules
from workers.models.probe import probe
from workers.models.probes.cudnn_rnn import enable_recurrent_backward
from workers.models.proof_threads import proof_threads
from workers.models.resident import Device, ResidentModel
from workers.models.stages import LoadedModel, ModelFolder, RuledModel, TunedModel, UsableModel
from workers.models.tuning import UNTUNED_BATCH_ROWS
from workers.repository.model_toml import InputConfig, check_files, read_config, read_labels
from workers.tracing.freeze import freeze
from workers.transform.optimize.reduced_precision import in_precision

log = structlog.get_logger()


def load_model(folder: Path, device: Device) -> ResidentModel:
    """`load_usable`, and all that is left to prove. The engine of the model is not started.

    Raises:
        As `load_usable`.
    """
    usable = load_usable(folder, device)
    return usable.model if usable.complete is None else usable.complete()


def load_usable(folder: Path, device: Device) -> UsableModel:
    """Loads one folder of the model repository until its jobs can run.

    Measurements and proofs of an earlier load are checked and reused, where the device has a cache of them.

    Raises:
        ModelConfigError: the folder does not describe a model that can be explained.
        Exception: whatever the model's own code raises.
    """
    described = read(folder, device)
    loaded = load(described)
    with threads_within(proof_threads(loaded.module)):
        if device.measurements is None:
            tuned = measure(loaded)
            return usable_model(tuned, make_resident(tuned), lambda _model, _choice: None)
        return load_with_cache(device.measurements, loaded, lambda: load(described), measure, make_resident)


def measure(loaded: LoadedModel) -> TunedModel:
    """Tests, copies and times the model; or checks what is known of it.

    Raises:
        ModelConfigError: the model cannot be explained.
        Disproved: what is known of the model does not hold.
        Exception: whatever the model's own code raises.
    """
    probed = probe(loaded)
    optimized = add_optimized_module(probed)
    hookable = add_hookable_module(optimized)
    ruled = add_rule_modules(hookable)
    return tune(ruled)


def read(folder: Path, device: Device) -> ModelFolder:
    """Reads the description of the folder, and checks that its files are there.

    Raises:
        ModelConfigError: the description is wrong, or the folder lacks files that it names.
    """
    config = read_config(folder)
    check_files(config, folder)
    return ModelFolder(folder, config, device)


def load(described: ModelFolder) -> LoadedModel:
    """Builds the module on its device, with the adapter of its inputs, its labels and its background set.

    Raises:
        ModelConfigError: the files do not fit the description.
        Exception: whatever the model's own code raises.
    """
    folder, device = described.folder, described.device
    # The model's own code may draw random numbers or set the seed while jobs of other models draw.
    with RandomStream(0, device.device):
        from_loader = load_module(described.config, folder)
    config, module = from_loader.config, from_loader.module.to(device.device)
    freeze(module, device.device)
    enable_recurrent_backward(module, device.device)
    adapter = _adapter(from_loader, module, folder)
    background = read_background(config, folder, adapter.card.shapes)
    dtype = getattr(torch, config.input.dtype)
    return LoadedModel(
        folder,
        config,
        device,
        module,
        adapter,
        sample=adapter.sample(device.device),
        labels=read_labels(config, folder),
        background=None if background is None else tuple(rows.to(dtype).to(device.device) for rows in background),
        digest=model_digest(config, module, folder),
    )


def tune(ruled: RuledModel) -> TunedModel:
    """Sets the precision of shared passes and the number of rows of a full pass.

    Raises:
        ModelConfigError: the device or the model does not have the configured precision.
        Disproved: a pass of the known number of rows does not fit into memory.
    """
    loaded, sample = ruled.loaded, ruled.sample_tensors
    device, known, precision = loaded.device, loaded.known, loaded.config.runtime.precision
    known_precision = None if known is None else known.precision
    view, pass_precision = in_precision(ruled.view, sample, precision, device.gate, device.threads, known_precision)
    rows = 1 if view.alone_reason else device.batch_rows
    if rows is None and known is not None:
        rows = known.batch_rows
        if not fits(view, sample, device.gate, device.threads, rows, device.processes):
            raise Disproved(f"passes of {rows} rows do not fit into memory")
    tuned_rows = rows or tune_rows(view, sample, device.gate, device.threads, device.processes)
    return TunedModel(
        loaded,
        ruled.embeddings,
        ruled.execution,
        view,
        ruled.steps,
        ruled.defects,
        ruled.rewrite,
        ruled.examined,
        ruled.rules,
        ruled.prove_rules,
        precision=pass_precision,
        batch_rows=tuned_rows or UNTUNED_BATCH_ROWS,
        timed=rows is not None or (tuned_rows or 1) > 1,
    )


def make_resident(tuned: TunedModel) -> ResidentModel:
    """Describes the model by its card, and gives it an engine.

    Raises:
        ModelConfigError: labels, layer or baseline of the description do not fit the model.
    """
    loaded, card = tuned.loaded, make_card(tuned)
    if card.output is not None and card.output.kind_reason is not None:
        key = str(ModelKey(card.name, card.version))
        log.info("output kind found", model=key, kind=card.output.kind, reason=card.output.kind_reason)
    engine = Engine(
        tuned.view,
        batch_rows=tuned.batch_rows,
        forward_rows=1 if loaded.device.batch_rows else forward_rows(tuned.view, tuned.sample_tensors),
        gate=loaded.device.gate,
        name=f"engine-{loaded.config.name}",
        threads=loaded.device.threads,
        tracer=loaded.device.tracer,
    )
    return ResidentModel(loaded.config, card, loaded.adapter, engine, loaded.background, loaded.device.memory)


def _adapter(from_loader: LoadedModule, module: nn.Module, folder: Path) -> InputAdapter:
    given = from_loader.config.input
    if given.kind == "text":
        tokenizer = from_loader.tokenizer or read_tokenizer(given, folder)
        return TextAdapter(given, module, tokenizer, token_types=from_loader.token_types)
    kinds: dict[str, Callable[[InputConfig], InputAdapter]] = {
        "image": ImageAdapter,
        "tabular": TabularAdapter,
        "tensor": TensorAdapter,
    }
    return kinds[given.kind](given)
