"""Rules that decide whether a model supports a method. Pure: what they read of the model is found beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.methods import METHODS, BaseMethod
from schemas.sentences import Sentence, words
from workers.models.probes.gradient_reach import Reach


@dataclass(frozen=True, slots=True)
class SupportFacts:
    """What the rules read of a model.

    Attributes:
        alone: why the model runs one row per pass; None where rows are packed.
        text: the input is a text.
        integers: an input is of integers, which have no gradient.
        pictures: the first input has height and width.
        embedding: the layer that integers enter; None where there is none, or more than one.
        has_embedding: the model has an embedding layer.
        no_layers: why no layer can be explained; None where one can.
        no_gradient: why no gradient leads from outputs to inputs; None where one does, or inputs are integers.
        reach: which layers a gradient leads to and from.
        defects: by `BaseMethod.rules`, why its methods are wrong on the model.
    """

    alone: str | None
    text: bool
    integers: bool
    pictures: bool
    embedding: str | None
    has_embedding: bool
    no_layers: str | None
    no_gradient: str | None
    reach: Reach
    defects: dict[str, str]


Rule = Callable[[type[BaseMethod], SupportFacts], str | None]


def unsupported_reason(name: str, facts: SupportFacts) -> str | None:
    """Why the model does not support the method, by the first rule that applies; None where it does."""
    method = METHODS[name]
    return next((reason for rule in RULES if (reason := rule(method, facts)) is not None), None)


def _needs_several_rows(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    if facts.alone is None or not method.needs_batch:
        return None
    return Sentence(
        "it needs several rows in one pass, or a proven copy of the model, and this model runs alone: {reason}",
        reason=words(facts.alone),
    )


def _needs_gradient_of_integers(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    if not facts.integers or not method.gradients or method.at_embedding:
        return None
    if method.entry == "model":
        if facts.has_embedding:
            return None
        return "the model's inputs are integers and enter no nn.Embedding, so its layers are given no gradient"
    if facts.embedding is None:
        return (
            "the model's inputs are integers, without a gradient; use layer_integrated_gradients at the layer that "
            "turns them into vectors"
        )
    return Sentence(
        "the model's inputs are integers, without a gradient; use layer_integrated_gradients with layer {layer!r}, "
        "their embedding, which is its default",
        layer=facts.embedding,
    )


def _needs_gradient_at_inputs(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    return facts.no_gradient if "output_to_input" in method.gradients else None


def _needs_gradient_at_a_layer(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    to_layer, of_unit = "output_to_layer" in method.gradients, "unit_to_input" in method.gradients
    lacking = [facts.reach.from_output] * to_layer + [facts.reach.to_input] * of_unit
    if not lacking or facts.reach.any_layer(*lacking):
        return None
    if not of_unit:
        return (
            "no layer has a gradient from the model's outputs to it; use a method that perturbs, such as "
            "layer_feature_ablation"
        )
    if not to_layer:
        return (
            "no layer has a gradient from it to the model's inputs; use a method that perturbs, such as "
            "neuron_feature_ablation"
        )
    return (
        "no layer has a gradient from the model's outputs to it and from it to the model's inputs; use a method that "
        "perturbs, such as neuron_feature_ablation"
    )


def _needs_layers(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    return facts.no_layers if "layer" in method.model_fields else None


def _needs_several_examples(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    if method.permutes and facts.text:
        return "it exchanges features between several examples, and texts come one at a time"
    return None


def _needs_pictures(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    if method.needs_map and not facts.pictures:
        return "it lays a layer's map over the input, which needs inputs with height and width"
    return None


def _needs_backward_rules(method: type[BaseMethod], facts: SupportFacts) -> str | None:
    return facts.defects.get(method.rules) if method.rules is not None else None


RULES: tuple[Rule, ...] = (
    _needs_several_rows,
    _needs_gradient_of_integers,
    _needs_gradient_at_inputs,
    _needs_gradient_at_a_layer,
    _needs_layers,
    _needs_several_examples,
    _needs_pictures,
    _needs_backward_rules,
)
