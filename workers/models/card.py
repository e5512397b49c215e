"""The model card: what a model is, and which methods it supports."""

from schemas.methods import BaselineName
from schemas.models import DialectNames, LayerCard, MethodSupport, ModelCard, Side
from workers.engine.device.tf32 import without_tf32
from workers.inputs.prepared import Prepared
from workers.models.card_defaults import card_defaults
from workers.models.default_layer import default_layer
from workers.models.layer_cards import ObservedLayers, layer_cards, observe_layers
from workers.models.measurements.measured import Disproved
from workers.models.method_support import check_support, method_support
from workers.models.output_card import check_outputs, output_card
from workers.models.probes.gradient_reach import UNKNOWN, gradient_reach
from workers.models.stages import TunedModel
from workers.transform.rules import NEW_RULES

# Why a method has the model to itself until its rule module is proven.
UNPROVEN = "the module that lets it share passes is still being proven"
Explained = tuple[list[LayerCard], list[MethodSupport], str | None]  # layers, methods and the usual layer


@without_tf32()  # trials of methods and reach of gradients must not depend on rounding
def make_card(model: TunedModel) -> ModelCard:
    """Runs the model on its sample, and describes it.

    Raises:
        ModelConfigError: labels, layer or baseline of the description do not fit the model, or its output cannot be
            explained.
        Disproved: what is known of the model does not hold.
        Exception: whatever the model raises on the sample.
    """
    loaded, view, config = model.loaded, model.view, model.loaded.config
    # A fresh sample: the model may have written into the one that the probes ran on.
    sample = loaded.adapter.sample(view.device)
    observed = observe_layers(view, sample)
    check_outputs(view, sample, observed)
    layers, methods, layer = _known(model, sample, observed) or _tried(model, sample, observed)
    output = output_card(loaded, view, sample, observed.outputs)
    return ModelCard(
        name=config.name,
        version=config.version,
        status="ready",
        digest=loaded.digest,
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


def _tried(model: TunedModel, sample: Prepared, observed: ObservedLayers) -> Explained:
    """Layers, methods and the usual layer, as trials show them."""
    view, config, tried = model.view, model.loaded.config, _cut(model, sample)
    reach = UNKNOWN if tried is None else gradient_reach(view, tried)
    if reach is UNKNOWN:
        reach = gradient_reach(view, sample)
    layers = layer_cards(view, observed, reach, model.execution.mixing_layers)
    # Methods at a layer explain one call of it.
    shared = frozenset(layer.name for layer in layers if layer.calls > 1)
    embedding = None if model.embeddings.layer in shared else model.embeddings.layer
    methods = method_support(
        view,
        sample,
        model.defects,
        tried=tried,
        text=config.input.kind == "text",
        embedding=embedding,
        reach=reach,
        rule_reasons=dict.fromkeys(NEW_RULES, UNPROVEN) if model.rules is None else model.rules.reasons,
    )
    return layers, methods, config.explain.layer or default_layer(view, sample, shared) or embedding


def _known(model: TunedModel, sample: Prepared, observed: ObservedLayers) -> Explained | None:
    """The same from an earlier load, compared with what one forward shows; None where nothing is known.

    Raises:
        Disproved: the layers are others, or a method is not supported.
    """
    known = model.loaded.known
    if known is None:
        return None
    seen = layer_cards(model.view, observed, UNKNOWN, model.execution.mixing_layers)
    untried: dict[str, list[Side]] = {"no_gradient": [], "no_gradient_to_input": [], "no_relu_before": []}
    if seen != [layer.model_copy(update=untried) for layer in known.layers]:
        raise Disproved("the model has other layers")
    check_support(known.methods, model.view, sample, _cut(model, sample))
    return known.layers, known.methods, known.default_layer


def _cut(model: TunedModel, sample: Prepared) -> Prepared | None:
    """The sample at a smaller size at which the model computes the same; None where none is known."""
    smaller = model.execution.smaller
    return None if smaller is None else sample.changed(smaller.cut)


def _baselines(of_input: list[BaselineName], background_rows: int) -> list[BaselineName]:
    return [*of_input, "background"] if background_rows else list(of_input)
