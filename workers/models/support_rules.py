"""Rules that decide whether a model supports a method. Pure: what they read of the model is found beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.methods import METHODS
from schemas.traits import (
    FROM_THE_MODELS_OWN_INPUT,
    GRADIENT_OF_UNIT,
    GRADIENT_TO_LAYER,
    PERMUTES,
    WITHOUT_GRADIENTS,
)
from workers.models.probes.gradient_reach import Reach

# Parts of the names of methods that need several rows in one pass.
_SEVERAL_ROWS = (
    "deep_lift",
    "guided",
    "deconvolution",
    "lrp",
    "conductance",
    "layer_gradient_shap",
    "neuron_gradient_shap",
)
# By family, parts of the names of methods whose backward pass follows the same rules.
_FAMILIES = {"deep_lift": ("deep_lift",), "guided": ("guided", "deconvolution"), "lrp": ("lrp",)}
# The others take the gradient of an output with respect to the inputs; these take it to or from a layer.
_AT_LAYERS = (GRADIENT_TO_LAYER | GRADIENT_OF_UNIT) - {"guided_grad_cam", "layer_lrp"}


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
        defects: by family of `deep_lift`, `guided` and `lrp`, why its methods are wrong on the model.
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


Rule = Callable[[str, SupportFacts], str | None]


def unsupported_reason(method: str, facts: SupportFacts) -> str | None:
    """Why the model does not support the method, by the first rule that applies; None where it does."""
    return next((reason for rule in RULES if (reason := rule(method, facts)) is not None), None)


def _needs_several_rows(method: str, facts: SupportFacts) -> str | None:
    if facts.alone is None or not any(part in method for part in _SEVERAL_ROWS):
        return None
    return f"it needs several rows in one pass, or a proven copy of the model, and this model runs alone: {facts.alone}"


def _needs_gradient_of_integers(method: str, facts: SupportFacts) -> str | None:
    if not facts.integers or method in WITHOUT_GRADIENTS or method == "layer_integrated_gradients":
        return None
    if method in FROM_THE_MODELS_OWN_INPUT:
        if facts.has_embedding:
            return None
        return "the model's inputs are integers and enter no nn.Embedding, so its layers are given no gradient"
    instead = "at the layer that turns them into vectors"
    if facts.embedding is not None:
        instead = f"with layer {facts.embedding!r}, their embedding, which is its default"
    return f"the model's inputs are integers, without a gradient; use layer_integrated_gradients {instead}"


def _needs_gradient_at_inputs(method: str, facts: SupportFacts) -> str | None:
    return None if method in WITHOUT_GRADIENTS | _AT_LAYERS else facts.no_gradient


def _needs_gradient_at_a_layer(method: str, facts: SupportFacts) -> str | None:
    to_layer, of_unit = method in GRADIENT_TO_LAYER, method in GRADIENT_OF_UNIT
    lacking = [facts.reach.from_output] * to_layer + [facts.reach.to_input] * of_unit
    if not lacking or facts.reach.any_layer(*lacking):
        return None
    ways = ["from the model's outputs to it"] * to_layer + ["from it to the model's inputs"] * of_unit
    instead = "neuron_feature_ablation" if of_unit else "layer_feature_ablation"
    return f"no layer has a gradient {' and '.join(ways)}; use a method that perturbs, such as {instead}"


def _needs_layers(method: str, facts: SupportFacts) -> str | None:
    return facts.no_layers if "layer" in METHODS[method].model_fields else None


def _needs_several_examples(method: str, facts: SupportFacts) -> str | None:
    if method in PERMUTES and facts.text:
        return "it exchanges features between several examples, and texts come one at a time"
    return None


def _needs_pictures(method: str, facts: SupportFacts) -> str | None:
    if method == "guided_grad_cam" and not facts.pictures:
        return "it lays a layer's map over the input, which needs inputs with height and width"
    return None


def _needs_backward_rules(method: str, facts: SupportFacts) -> str | None:
    families = (family for family, parts in _FAMILIES.items() if any(part in method for part in parts))
    return next((facts.defects[family] for family in families if family in facts.defects), None)


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
