"""The model card: what a model is, and what can be asked of it, found out by running it once."""

import hashlib
from typing import Any

import torch
from torch import Tensor, nn

from schemas.methods import BaselineName
from schemas.models import Defaults, LayerCard, ModelCard, OutputCard
from workers.config import ModelConfig, ModelConfigError
from workers.default_layer import default_layer
from workers.engine.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import InputAdapter, Prepared
from workers.offer import offered_methods

MAX_LAYERS = 2_000


def make_card(
    config: ModelConfig,
    view: ModelView,
    adapter: InputAdapter,
    *,
    labels: list[str] | None,
    background_rows: int,
    batch_rows: int,
    problems: dict[str, str],
) -> ModelCard:
    """Runs the model once on a sample input and describes it; `problems` as in `workers.offer`.

    Raises:
        ModelConfigError: labels, layer or baseline of the configuration do not fit the model.
        Whatever the model raises on the sample.
    """
    sample = adapter.sample(view.device)
    layers, out = _layers(view, sample)
    output = _output(config, out, labels)
    defaults = _defaults(config, adapter, layers, background_rows, default_layer(view, sample))
    baselines: list[BaselineName] = [*adapter.baselines, *(["background"] if background_rows else [])]  # type: ignore[list-item]
    return ModelCard(
        name=config.name,
        version=config.version,
        status="ready",
        digest=_digest(config, view.layer_module),
        description=config.description,
        license=config.license,
        input=adapter.card,
        output=output,
        layers=layers,
        methods=offered_methods(view, sample, problems, text=config.input.kind == "text"),
        baselines=baselines,
        background_rows=background_rows,
        defaults=defaults,
        batch_rows=batch_rows,
        device=str(view.device),
    )


def failed_card(name: str, version: str, reason: str) -> ModelCard:
    """The card of a model that could not be loaded."""
    return ModelCard(name=name, version=version, status="failed", error=reason[:500])


def _layers(view: ModelView, sample: Prepared) -> tuple[list[LayerCard], Tensor]:
    """Every submodule with the shape of its output on the sample, and the model's own output."""
    shapes: dict[str, list[int] | None] = {}

    def record(name: str) -> Any:
        def hook(_module: nn.Module, _args: object, output: object) -> None:
            if not isinstance(output, Tensor):
                shapes[name] = None
            elif output.shape[:1] == (1,):  # else its rows are no examples, and nothing can be asked of one
                shapes[name] = list(output.shape[1:])

        return hook

    module = view.layer_module
    named = [(name, layer) for name, layer in module.named_modules() if name and takes_hooks(layer)][:MAX_LAYERS]
    handles = [layer.register_forward_hook(record(name)) for name, layer in named]
    try:
        with torch.no_grad():
            out = module(*sample.layer_inputs, *sample.layer_extras)
    finally:
        for handle in handles:
            handle.remove()
    cards = [
        LayerCard(name=name, type=type(layer).__name__, output_shape=shapes[name], grid=_grid(view, shapes[name]))
        for name, layer in named
        if name in shapes  # a layer that never ran cannot be explained
    ]
    if out.dim() < 1 or out.shape[0] != 1:
        told = tuple(out.shape)
        raise ModelConfigError(f"the model must answer (rows,), (rows, outputs) or (rows, classes, …); here {told}")
    if not out.is_floating_point():
        raise ModelConfigError(f"the model answers {out.dtype}: its scores are needed, not its decision")
    return cards, out


def _grid(view: ModelView, shape: list[int] | None) -> list[int] | None:
    grid = view.grid.of(shape[0]) if view.grid is not None and shape is not None and len(shape) == 2 else None
    return list(grid) if grid is not None else None


def _output(config: ModelConfig, out: Tensor, labels: list[str] | None) -> OutputCard:
    shape = list(out.shape[1:])
    size = shape[0] if shape else 1
    if labels is not None and len(labels) != size:
        raise ModelConfigError(f"output.labels: {len(labels)} labels for {size} outputs")
    return OutputCard(kind=config.output.kind, size=size, shape=shape, labels=labels)


def _defaults(
    config: ModelConfig, adapter: InputAdapter, layers: list[LayerCard], background_rows: int, layer: str | None
) -> Defaults:
    explain = config.explain
    names = {layer.name for layer in layers}
    if explain.layer is not None and explain.layer not in names:
        raise ModelConfigError(f"explain.layer: the model runs no layer {explain.layer!r}")
    baseline = explain.baseline or adapter.baselines[0]
    if baseline not in adapter.baselines and not (baseline == "background" and background_rows):
        raise ModelConfigError(f"explain.baseline: {baseline!r} means nothing for this input")
    return Defaults(
        method=explain.method,
        baseline=baseline,
        shap_baseline="background" if background_rows else baseline,
        layer=explain.layer or (layer if layer in names else None),
    )


def _digest(config: ModelConfig, module: nn.Module) -> str:
    """sha256 over the configuration and every weight, so that equal digests mean equal models."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
