"""Models resident on a device: loaded once, each with its engine."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog
import torch
from torch import Tensor, nn

from schemas.models import ModelCard, OutputKind
from workers.engine.batch_size import tune_rows
from workers.engine.engine import Engine
from workers.engine.error_trace import without_data
from workers.engine.gate import DeviceGate
from workers.engine.precision import without_tf32
from workers.engine.randomness import RandomStream
from workers.engine.size import resident_bytes
from workers.engine.view import ModelView
from workers.inputs.image import ImageAdapter
from workers.inputs.prepared import InputAdapter, Prepared
from workers.inputs.tabular import TabularAdapter
from workers.inputs.tensor import TensorAdapter
from workers.inputs.text import TextAdapter, read_tokenizer
from workers.methods.memory import MemoryBudget
from workers.models.card import failed_card, make_card
from workers.models.cudnn_rnn import allow_backward
from workers.models.embeddings import Embeddings, check_pad, find_embeddings
from workers.models.execution import Execution, embedded, examine, row_kinds, text_kinds
from workers.models.load_failure import load_failure_reason
from workers.models.loaders import load
from workers.models.loaders.weights import read_background
from workers.models.outputs import answer_with_tensor
from workers.models.text_entry import enter_at_embeddings
from workers.models.token_grid import picture_grid
from workers.repository.model_toml import ModelConfig, ModelConfigError, check_files, read_config, read_labels
from workers.tracing.chance import settle
from workers.tracing.columns import index_columns
from workers.tracing.draws import stacked
from workers.tracing.rows import rows_mix
from workers.transform.hookable.make import make_hookable, text_defects
from workers.transform.optimize import make_optimized
from workers.transform.optimize.layout_race import is_faster
from workers.transform.optimize.precision import in_precision

log = structlog.get_logger()
UNTUNED_ROWS = 16  # of a full pass, where the model could not be measured


@dataclass(frozen=True, slots=True)
class ResidentModel:
    """A model ready to explain."""

    config: ModelConfig
    card: ModelCard
    adapter: InputAdapter
    engine: Engine
    background: tuple[Tensor, ...] | None  # (rows, …) for each input, on the device
    memory: MemoryBudget

    @property
    def key(self) -> str:
        return f"{self.card.name}@{self.card.version}"

    @property
    def output_kind(self) -> OutputKind:
        """That given, or found when the model was loaded."""
        return self.card.output.kind if self.card.output else "classification"

    @property
    def bytes(self) -> int:
        """What it takes in the device's memory, between passes."""
        return resident_bytes(self.engine.view, *(self.background or ()))


@dataclass(frozen=True, slots=True)
class Device:
    """What engines on one device share."""

    device: torch.device
    threads: int  # CPU threads of a pass
    batch_rows: int | None  # of a full pass; None: tuned for each model
    gate: DeviceGate
    memory: MemoryBudget = field(default_factory=MemoryBudget)


def load_model(folder: Path, device: Device) -> ResidentModel:
    """Loads one folder of the model repository; its engine is not started yet.

    Raises:
        ModelConfigError: the folder does not describe a model that can be explained.
        Whatever the model's own code raises.
    """
    with RandomStream(0, device.device):  # a model's own code may draw, or set the seed, while jobs of others draw
        config = read_config(folder)
        check_files(config, folder)
        loaded = load(config, folder)
    config, module = loaded.config, loaded.module.to(device.device)
    settle(module, device.device)
    allow_backward(module, device.device)
    adapter: InputAdapter
    if config.input.kind == "text":
        tokenizer = loaded.tokenizer or read_tokenizer(config.input, folder)
        adapter = TextAdapter(config.input, module, tokenizer, token_types=loaded.token_types)
    else:
        kinds = {"image": ImageAdapter, "tabular": TabularAdapter, "tensor": TensorAdapter}
        adapter = kinds[config.input.kind](config.input)
    sample = adapter.sample(device.device)
    with torch.no_grad(), without_tf32():
        given = module(*(t.clone() for t in (*sample.layer_inputs, *sample.layer_additional_forward_args)))
    answer_with_tensor(module, given, config.output.field, config.output.class_dim)
    embeddings = find_embeddings(module, sample)
    if config.input.kind == "tensor":
        adapter.card = adapter.card.model_copy(update={"vocabularies": embeddings.vocabularies})
        check_pad(config.input, embeddings)
    with without_tf32():  # in which rows differ by what lies beside them
        execution, view = _examined(config, module, adapter, sample, embeddings, device.device)
    view, defects = _copies(config, view, sample, execution, device)
    tensors = (*sample.inputs, *sample.additional_forward_args)
    background = read_background(config, folder, adapter.card.shapes)
    if background is not None:
        dtype = getattr(torch, config.input.dtype)
        background = tuple(tensor.to(dtype).to(device.device) for tensor in background)
    view, precision = in_precision(view, tensors, config.runtime.precision, device.gate, device.threads)
    batch_rows = 1 if view.alone else device.batch_rows
    batch_rows = batch_rows or tune_rows(view, tensors, device.gate, device.threads) or UNTUNED_ROWS
    with without_tf32():
        card = make_card(
            config,
            view,
            adapter,
            embedding=embeddings.layer,
            labels=read_labels(config, folder),
            background_rows=0 if background is None else background[0].shape[0],
            batch_rows=batch_rows,
            precision=precision,
            defects=defects,
            folder=folder,
            mixing_layers=execution.mixing_layers,
        )
    if card.output is not None and card.output.kind_reason is not None:
        key = f"{card.name}@{card.version}"
        log.info("output kind found", model=key, kind=card.output.kind, reason=card.output.kind_reason)
    engine = Engine(view, batch_rows=batch_rows, gate=device.gate, name=f"engine-{config.name}", threads=device.threads)
    return ResidentModel(config, card, adapter, engine, background, device.memory)


def _examined(
    config: ModelConfig,
    module: nn.Module,
    adapter: InputAdapter,
    sample: Prepared,
    embeddings: Embeddings,
    device: torch.device,
) -> tuple[Execution, ModelView]:
    """What packing assumes, tested; and the model as the engine calls it, without any copies yet.

    Raises:
        ModelConfigError: the model keeps state, or answers otherwise from its embeddings.
    """
    if isinstance(adapter, TextAdapter):
        words = getattr(adapter.embeddings, "num_embeddings", None) or 2
        kinds = text_kinds(adapter, sample, words)
        execution = examine(module, kinds, 0, device)
        view = enter_at_embeddings(module, adapter, device)
        draws = embedded(execution.draws, adapter.embeddings)
        mixed = None if execution.alone else rows_mix(view.module, draws, view.inputs)
        execution = replace(execution, alone=execution.alone or mixed, draws=draws)
    else:
        kinds = row_kinds(config, sample, embeddings.vocabularies)
        view = ModelView(module, module, device, inputs=len(adapter.card.shapes))
        view = replace(view, grid=picture_grid(config, module))
        execution = examine(module, kinds, view.inputs, device)
    if execution.alone:
        log.warning("model runs alone, one row per pass", model=config.name, reason=execution.alone)
    return execution, replace(
        view, alone=execution.alone, random=execution.random, padded=view.padded and not execution.alone
    )


def _copies(
    config: ModelConfig, view: ModelView, sample: Prepared, execution: Execution, device: Device
) -> tuple[ModelView, dict[str, str]]:
    """The view with its optimized and hookable copies, and why families of hook methods are not right on the model."""
    if execution.alone:
        return view, {}
    if config.input.kind != "text":
        rows = [row for rows in execution.draws for row in rows]
        view = replace(view, index_columns=tuple(index_columns(view.module, rows, view.inputs)))
    first, *others = execution.draws
    samples = [first[0], stacked(first[1:3]) if len(first) > 2 else first[0], first[-1]]
    samples += [row for rows in others for row in rows[:2]]
    tensors = (*sample.inputs, *sample.additional_forward_args)
    faster = partial(is_faster, view, tensors, device.gate, device.threads)
    view = replace(view, optimized=make_optimized(view.module, samples or [tensors], view.inputs, faster))
    with without_tf32():
        if config.input.kind == "text":
            return view, text_defects(view)
        hookable, defects = make_hookable(view, sample)
    return replace(view, hookable=hookable), defects


def load_all(directories: list[Path], device: Device) -> Iterator[ResidentModel | ModelCard]:
    """Every model of the directories, or the card that says why it failed; one failure never stops the others."""
    for folder in model_folders(directories):
        try:
            model = load_model(folder, device)
        except Exception as error:  # a model's own code may raise anything
            yield failed_to_load(folder, error)
        else:
            log.info("model loaded", model=model.key, digest=model.card.digest, device=str(device.device))
            yield model


def model_folders(directories: list[Path]) -> list[Path]:
    """The folders with a `model.toml`, by name."""
    return sorted(path.parent for directory in directories for path in directory.glob("*/model.toml"))


def failed_to_load(folder: Path, error: Exception) -> ModelCard:
    """The card that says why, and where in the folder's own code."""
    reason = load_failure_reason(error, folder)
    name, version = folder.name, "1"
    with contextlib.suppress(ModelConfigError):
        config = read_config(folder)
        name, version = config.name, config.version
    log.error("model failed to load", model=name, reason=reason, exception=without_data(error))
    return failed_card(name, version, reason)
