"""The model card: what a model is, and what can be asked of it, found out by running it once."""

import hashlib
from pathlib import Path
from typing import Any

import structlog
import torch
from torch import Tensor, nn

from schemas.methods import BaselineName
from schemas.models import Defaults, LayerCard, MethodSupport, ModelCard, OutputCard
from schemas.precision import PassPrecision
from workers.engine.hooks import takes_hooks
from workers.engine.view import ModelView
from workers.inputs.prepared import InputAdapter, Prepared
from workers.models.default_layer import default_layer
from workers.models.gradient_reach import Reach, gradient_reach
from workers.models.method_support import method_support
from workers.models.output_kind import Found, output_kind
from workers.repository.model_toml import ModelConfig, ModelConfigError, inside
from workers.tracing.layer_calls import LayerSeen

log = structlog.get_logger()
MAX_LAYERS = 2_000
ROWS = 2  # of the sample that layers are seen on
MAX_REASON = 4_000  # characters: a description may have many mistakes, and all are told
NOT_TENSORS = (
    "the layer gives more than tensors with one row for each example, as recurrent layers do; name the layer behind "
    "it, or explain its input by attribute_to_layer_input"
)
OTHER_METHODS = ("layer_integrated_gradients", "feature_ablation")  # where the usual one is not offered


def make_card(
    config: ModelConfig,
    view: ModelView,
    adapter: InputAdapter,
    *,
    embedding: str | None,
    labels: list[str] | None,
    background_rows: int,
    batch_rows: int,
    precision: PassPrecision,
    defects: dict[str, str],
    folder: Path,
    mixing_layers: dict[str, str],
) -> ModelCard:
    """Runs the model once on a sample input and describes it.

    `defects` as in `workers.models.method_support`; `embedding` is the layer that integers enter; `mixing_layers` as in
    `workers.tracing.layers.layers_mix`.

    Raises:
        ModelConfigError: labels, layer or baseline of the configuration do not fit the model.
        Whatever the model raises on the sample.
    """
    sample = adapter.sample(view.device)
    layers, out = _layers(view, sample)
    layers = [_refused_where_it_mixes(layer, mixing_layers.get(layer.name)) for layer in layers]
    reach = gradient_reach(view, sample)
    layers = [_with_reach(layer, reach) for layer in layers]
    kind = output_kind(config.output.kind, view, sample, adapter.card.vocabularies)
    tokens = sample.layer_inputs[0].shape[1] if adapter.card.max_tokens else None
    output = _output(config, kind, out, labels, tokens=tokens)
    shared = {one.name for one in layers if one.calls > 1}  # which methods at a layer cannot answer for
    embedding = None if embedding in shared else embedding
    methods = method_support(view, sample, defects, text=config.input.kind == "text", embedding=embedding, reach=reach)
    layer = default_layer(view, sample, shared) or embedding
    defaults = _defaults(config, adapter, layers, background_rows, methods, layer)
    baselines: list[BaselineName] = [*adapter.baselines, *(["background"] if background_rows else [])]  # type: ignore[list-item]
    return ModelCard(
        name=config.name,
        version=config.version,
        status="ready",
        digest=_digest(config, view.layer_module, folder),
        description=config.description,
        license=config.license,
        input=adapter.card,
        output=output,
        layers=layers,
        methods=methods,
        baselines=baselines,
        background_rows=background_rows,
        defaults=defaults,
        batch_rows=batch_rows,
        device=str(view.device),
        execution="alone" if view.alone else "packed",
        execution_reason=view.alone,
        precision=precision,
    )


def failed_card(name: str, version: str, reason: str) -> ModelCard:
    """The card of a model that could not be loaded."""
    return ModelCard(name=name, version=version, status="failed", error=reason[:MAX_REASON])


def _layers(view: ModelView, sample: Prepared) -> tuple[list[LayerCard], Tensor]:
    """Every submodule with the shape of its output on the sample, and the model's own output.

    The sample is given twice, which tells the dimension of the rows from others.
    """
    sample = sample if view.alone else sample.twice()
    rows = sample.layer_inputs[0].shape[0]
    module = view.layer_module
    named = [(name, layer) for name, layer in module.named_modules() if name and takes_hooks(layer)][:MAX_LAYERS]
    seen = {name: LayerSeen() for name, _ in named}
    handles = [layer.register_forward_hook(seen[name].note, with_kwargs=True) for name, layer in named]
    try:
        with torch.no_grad():
            out = module(*sample.layer_inputs, *sample.layer_additional_forward_args)
    finally:
        for handle in handles:
            handle.remove()
    cards = [
        _layer(view, name, layer, seen[name], rows)
        for name, layer in named
        if seen[name].calls  # a layer that never ran cannot be explained
    ]
    if out.shape[:1] != (rows,):
        told = f"for {rows} rows it answers {list(out.shape)}"
        raise ModelConfigError(f"the model must answer (rows,), (rows, outputs) or (rows, classes, …); {told}")
    if out.is_complex():
        raise ModelConfigError(f"the model answers {out.dtype}: complex numbers cannot be explained, their parts can")
    _check_rows(module, sample)
    if not out.is_floating_point():
        raise ModelConfigError(f"the model answers {out.dtype}: its scores are needed, not its decision")
    return cards, out


def _refused_where_it_mixes(layer: LayerCard, reason: str | None) -> LayerCard:
    if reason is None or layer.refused is not None:
        return layer
    return layer.model_copy(update={"refused": f"the layer's rows are not independent: {reason}"})


def _with_reach(layer: LayerCard, reach: Reach) -> LayerCard:
    found = {
        "no_gradient": reach.from_output.get(layer.name, []),
        "no_gradient_to_input": reach.to_input.get(layer.name, []),
        "no_relu_before": reach.relu.get(layer.name, []),
    }
    return layer.model_copy(update=found)


def _check_rows(module: nn.Module, sample: Prepared) -> None:
    """Once more with another number of rows: a model of two outputs that mixes the rows answers two numbers for two."""
    tensors = [
        torch.cat([tensor[:1]] * (ROWS + 1)) for tensor in (*sample.layer_inputs, *sample.layer_additional_forward_args)
    ]
    try:
        with torch.no_grad():
            out = module(*tensors)
    except Exception as error:  # a model may be made for so many rows and no more
        log.warning("model raises on more rows", rows=ROWS + 1, error=type(error).__name__)
        return
    if out.shape[:1] != (ROWS + 1,):
        told = f"for {ROWS + 1} rows it answers {list(out.shape)}"
        raise ModelConfigError(f"the model must answer (rows,), (rows, outputs) or (rows, classes, …); {told}")


def _layer(view: ModelView, name: str, layer: nn.Module, seen: LayerSeen, rows: int) -> LayerCard:
    known: dict[str, Any] = {"name": name, "type": type(layer).__name__, "calls": seen.calls}
    refusals, shape = seen.refusals(), seen.shape or []
    if isinstance(shape, list):
        whole = all(part is not None and part[:1] == (rows,) for part in shape)
        return LayerCard(**known, **({} if whole else {"output_refused": NOT_TENSORS}) | refusals)
    if shape[:1] != (rows,):
        told = f"for {rows} examples its output is of shape {list(shape)}"
        refusals = {"refused": f"the layer does not give one row for each example: {told}"} | refusals
        return LayerCard(**known, **refusals)
    return LayerCard(**known, output_shape=list(shape[1:]), grid=_grid(view, list(shape[1:])), **refusals)


def _grid(view: ModelView, shape: list[int] | None) -> list[int] | None:
    grid = view.grid.of(shape[0]) if view.grid is not None and shape is not None and len(shape) == 2 else None
    return list(grid) if grid is not None else None


def _output(
    config: ModelConfig, kind: Found, out: Tensor, labels: list[str] | None, *, tokens: int | None
) -> OutputCard:
    """`tokens` are those of a text: an output for each of them may have as many as the model takes."""
    shape = list(out.shape[1:])
    size = shape[0] if shape else 1
    if tokens is not None:
        shape[1:] = [config.input.max_tokens if extent == tokens else extent for extent in shape[1:]]
    if labels is not None and len(labels) != size:
        raise ModelConfigError(f"output.labels: {len(labels)} labels for {size} outputs")
    return OutputCard(kind=kind.kind, kind_reason=kind.reason, size=size, shape=shape, labels=labels)


def _defaults(
    config: ModelConfig,
    adapter: InputAdapter,
    layers: list[LayerCard],
    background_rows: int,
    methods: list[MethodSupport],
    layer: str | None,
) -> Defaults:
    """What the operator says; else a method that is offered, and `layer` if it can be asked."""
    explain = config.explain
    known = {one.name: one for one in layers}
    usable = {one.name for one in layers if one.refused is None and one.output_refused is None}
    if explain.layer is not None and explain.layer not in usable:
        one = known.get(explain.layer)
        refused = one and (one.refused or one.output_refused)
        raise ModelConfigError(f"explain.layer: {refused or f'the model runs no layer {explain.layer!r}'}")
    baseline = explain.baseline or adapter.baselines[0]
    if baseline not in adapter.baselines and not (baseline == "background" and background_rows):
        raise ModelConfigError(f"explain.baseline: {baseline!r} means nothing for this input")
    return Defaults(
        method=_default_method(config, methods),
        baseline=baseline,
        shap_baseline="background" if background_rows else baseline,
        layer=explain.layer or (layer if layer in usable else None),
    )


def _default_method(config: ModelConfig, methods: list[MethodSupport]) -> str:
    """The operator's word stands; where nothing was said, the usual method may be none for this model."""
    explain = config.explain
    offered = {one.name for one in methods if one.supported}
    if "method" in explain.model_fields_set or explain.method in offered:
        return explain.method
    return next((name for name in OTHER_METHODS if name in offered), explain.method)


def _digest(config: ModelConfig, module: nn.Module, folder: Path) -> str:
    """sha256 over configuration, code, labels, background and weights, so that equal digests mean equal answers."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    named = [config.output.labels if isinstance(config.output.labels, str) else None, config.explain.background]
    for path in sorted([*folder.rglob("*.py"), *(inside(folder, name) for name in named if name)]):
        digest.update(f"{path.name} ".encode())
        digest.update(path.read_bytes())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
