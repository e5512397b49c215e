"""The warnings of a result: what a reader of its attributions must know."""

from schemas.methods import AnyMethod
from schemas.models import ModelCard
from schemas.sentences import Sentence, words
from workers.evaluation.attribution_warnings import completeness_warnings, zero_warnings
from workers.inputs.prepared import Tensors
from workers.jobs.job import PreparedJob
from workers.jobs.tuning import MAX_NAMED_ELEMENTS
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel


def result_warnings(model: ResidentModel, job: PreparedJob, outcome: Outcome, attributions: Tensors) -> list[str]:
    """One line for each reason to read the attributions with care; `attributions` are those of the wire."""
    return [
        *job.prepared.warnings,
        *_randomness_warnings(model, job),
        *_gradient_warnings(model, job),
        *guided_warnings(model.card, job.method),
        *_grad_cam_warnings(model, job),
        *completeness_warnings(job.method, outcome),
        *zero_warnings(attributions),
    ]


def _randomness_warnings(model: ResidentModel, job: PreparedJob) -> list[str]:
    if not model.engine.view.draws_random:
        return []
    return [
        Sentence(
            "the model draws random numbers in its forward; this result holds for seed {seed} alone", seed=job.spec.seed
        )
    ]


def _gradient_warnings(model: ResidentModel, job: PreparedJob) -> list[str]:
    """One line where gradients miss input elements that the model uses as an index."""
    columns = model.engine.view.index_columns
    if not columns or not job.method.gradients or job.method.kind == "layer":
        return []
    several_inputs = len(model.card.input.shapes) > 1 if model.card.input else False
    elements = ", ".join(
        f"{index}[{element}]" if several_inputs else str(element) for index, element in columns[:MAX_NAMED_ELEMENTS]
    )
    return [
        Sentence(
            "the output depends on input element {elements}, which has no gradient (the model makes an index of it): "
            "gradient methods attribute 0 to it; use a method that perturbs the input, such as feature_ablation",
            elements=elements,
        )
    ]


def _grad_cam_warnings(model: ResidentModel, job: PreparedJob) -> list[str]:
    """One line where the layer's dimension 1 holds tokens, or may hold them."""
    if not job.method.computes_grad_cam:
        return []
    if model.config.input.kind == "text":
        return ["Grad-CAM takes dimension 1 for channels; here it holds tokens, so read this map with care"]
    name = getattr(job.method, "layer", None)
    layer = next((layer for layer in model.card.layers if layer.name == name), None)
    if layer is not None and len(layer.output_shape or []) == 2 and layer.grid is None:
        return ["Grad-CAM takes dimension 1 for channels; if it holds tokens, tell their grid as explain.token_grid"]
    return []


def guided_warnings(card: ModelCard, method: AnyMethod) -> list[str]:
    """One line where a guided method at a unit has no ReLU to hook between the input and the unit."""
    if method.rules != "guided" or method.kind != "neuron":
        return []
    side = "input" if getattr(method, "attribute_to_neuron_input", False) else "output"
    layer = next((layer for layer in card.layers if layer.name == getattr(method, "layer", None)), None)
    if layer is None or side not in layer.no_relu_before:
        return []
    return [
        Sentence(
            "no nn.ReLU lies between the model's input and the {side} of {layer!r}, and {method} changes nothing else: "
            "this is the plain gradient, as neuron_gradient gives it",
            side=words(side),
            layer=layer.name,
            method=method.name,
        )
    ]
