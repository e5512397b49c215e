"""The model card: what a model is, and which methods it supports."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from schemas.methods import BaselineName
from schemas.models import DialectNames, ModelCard
from workers.engine.device.tf32 import without_tf32
from workers.models.card_defaults import card_defaults
from workers.models.default_layer import default_layer
from workers.models.layer_cards import layer_cards, observe_layers
from workers.models.method_support import method_support
from workers.models.output_card import check_outputs, output_card
from workers.models.probes.gradient_reach import gradient_reach
from workers.models.stages import TunedModel
from workers.repository.model_toml import ModelConfig, inside


@without_tf32()  # trials of methods and reach of gradients must not depend on rounding
def make_card(model: TunedModel) -> ModelCard:
    """Runs the model on its sample, and describes it.

    Raises:
        ModelConfigError: labels, layer or baseline of the description do not fit the model, or its output cannot be
            explained.
        Exception: whatever the model raises on the sample.
    """
    loaded, view, config = model.loaded, model.view, model.loaded.config
    # A fresh sample: the model may have written into the one that the probes ran on.
    sample = loaded.adapter.sample(view.device)
    observed = observe_layers(view, sample)
    check_outputs(view, sample, observed)
    reach = gradient_reach(view, sample)
    layers = layer_cards(view, observed, reach, model.execution.mixing_layers)
    output = output_card(loaded, view, sample, observed.outputs)
    # Methods at a layer explain one call of it.
    shared = frozenset(layer.name for layer in layers if layer.calls > 1)
    embedding = None if model.embeddings.layer in shared else model.embeddings.layer
    methods = method_support(
        view, sample, model.defects, text=config.input.kind == "text", embedding=embedding, reach=reach
    )
    layer = default_layer(view, sample, shared) or embedding
    return ModelCard(
        name=config.name,
        version=config.version,
        status="ready",
        digest=_digest(config, view.layer_module, loaded.folder),
        description=config.description,
        license=config.license,
        input=loaded.adapter.card,
        output=output,
        layers=layers,
        methods=methods,
        baselines=_baselines(loaded.adapter.baselines, loaded.background_rows),
        background_rows=loaded.background_rows,
        defaults=card_defaults(loaded, layers, methods, layer),
        batch_rows=model.batch_rows,
        device=str(view.device),
        execution="alone" if view.alone_reason else "packed",
        execution_reason=view.alone_reason,
        precision=model.precision,
        dialects=DialectNames(vertex_endpoint=config.dialects.vertex.endpoint),
    )


def _baselines(of_input: list[BaselineName], background_rows: int) -> list[BaselineName]:
    return [*of_input, "background"] if background_rows else list(of_input)


def _digest(config: ModelConfig, module: nn.Module, folder: Path) -> str:
    """sha256 over configuration, code, labels, background and weights: models with equal digests give equal results."""
    digest = hashlib.sha256(config.model_dump_json(exclude={"dialects"}).encode())
    named = [config.output.labels if isinstance(config.output.labels, str) else None, config.explain.background]
    for path in sorted([*folder.rglob("*.py"), *(inside(folder, name) for name in named if name)]):
        digest.update(f"{path.name} ".encode())
        digest.update(path.read_bytes())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
