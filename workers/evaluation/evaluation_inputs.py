"""What the metrics of a job are computed from: the requested metrics, features, and what replaces features."""

from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, BaselineName
from schemas.metric_requests import AnyQuality, DeletionInsertion, stored_quality
from schemas.metrics import Unit
from schemas.models import OutputKind
from workers.inputs.prepared import Prepared, Tensors
from workers.methods.endpoints import references
from workers.methods.explain_inputs import ExplainInputs
from workers.models.resident import ResidentModel


@dataclass(frozen=True, slots=True)
class NamedBaseline:
    """A baseline, (examples, …) each, and the name that results show."""

    name: str
    tensors: Tensors


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """The requested metrics, and what they need besides the explanation.

    Attributes:
        metrics: the requests; empty: only completeness, where the method promises it.
        unit: what a feature is, such as a pixel or a word.
        features: the number of each element's feature, int64, (1 or examples, …) in the shape of the inputs; -1 for
            elements that belong to no feature and are never replaced.
        deletion_baseline: replaces features when they are deleted.
        insertion_baseline: features are inserted into it.
        output_kind: decides whether outputs are read as probabilities.
        is_picture: the input is a picture, so attributions are compared as maps as well.
    """

    metrics: list[AnyQuality]
    unit: Unit
    features: Tensors
    deletion_baseline: NamedBaseline
    insertion_baseline: NamedBaseline
    output_kind: OutputKind
    is_picture: bool

    def requests(self, name: str) -> bool:
        """Whether the metric of this name is requested."""
        return any(metric.name == name for metric in self.metrics)


def make_evaluation_inputs(
    model: ResidentModel, spec: JobSpec, method: AnyMethod, prepared: Prepared, subject: ExplainInputs
) -> EvaluationInputs:
    """Resolves what the metrics of a job need.

    Raises:
        InputRejected: a baseline does not fit the input.
    """
    metrics = stored_quality(spec.quality)
    kind = model.adapter.card.kind
    unit: Unit = "elements"
    features: Tensors = ()
    deletion = insertion = NamedBaseline("", ())
    if any(metric.needs_features for metric in metrics):
        unit, features = _features(model, method, prepared, subject)
        curves = next((metric for metric in metrics if isinstance(metric, DeletionInsertion)), DeletionInsertion())
        deletion = insertion = _baseline(model, method, prepared, subject, curves.deletion_baseline)
        name = curves.insertion_baseline or ("blur" if kind == "image" else None)
        if name is not None:
            insertion = _baseline(model, method, prepared, subject, name)
    return EvaluationInputs(
        metrics=metrics,
        unit=unit,
        features=features,
        deletion_baseline=deletion,
        insertion_baseline=insertion,
        output_kind=model.output_kind,
        is_picture=kind == "image",
    )


def _baseline(
    model: ResidentModel, method: AnyMethod, prepared: Prepared, subject: ExplainInputs, name: BaselineName | None
) -> NamedBaseline:
    """The baseline of this name. Without a name, the method's own, of several their mean, or else the model's."""
    examples = subject.examples
    if name is None and (own := references(method, subject)) is not None:
        given = getattr(method, "baseline", None)
        shown = given if isinstance(given, str) else "tensor"
        if own is subject.baselines:
            return NamedBaseline(shown, own)
        return _mean(shown, own, examples)
    chosen = name or (model.card.defaults.baseline if model.card.defaults else "zero")
    if chosen != "background":
        return NamedBaseline(chosen, model.adapter.baseline(chosen, prepared)[0])
    if model.background is None:
        raise InputRejected("the model has no background set")
    return _mean("background", model.background, examples)


def _mean(name: str, baseline_distribution: Tensors, examples: int) -> NamedBaseline:
    means = (part.mean(dim=0, keepdim=True) for part in baseline_distribution)
    return NamedBaseline(f"mean of {name}", tuple(mean.expand(examples, *mean.shape[1:]) for mean in means))


def _features(
    model: ResidentModel, method: AnyMethod, prepared: Prepared, subject: ExplainInputs
) -> tuple[Unit, Tensors]:
    """The features of the mask, if there is one; else pixels, tokens that are not special, columns, or elements."""
    kind = model.adapter.card.kind
    mask = subject.feature_mask
    if kind == "text":
        words = getattr(method, "feature_mask", None) == "words"
        return ("words" if words else "tokens"), (_text_features(prepared, mask[0] if mask is not None else None),)
    if mask is not None:
        return ("patches" if kind == "image" else "elements"), mask
    first = subject.inputs[0]
    if kind == "image":
        height, width = first.shape[2:]
        pixels = torch.arange(height * width, device=first.device).view(1, 1, height, width)
        return "pixels", (pixels.expand(1, *first.shape[1:]),)
    return ("columns" if kind == "tabular" else "elements"), each_element(subject.inputs)


def each_element(inputs: Tensors) -> Tensors:
    """Each element as a feature of its own, numbered across all inputs: (1, …) each."""
    features, count = [], 0
    for tensor in inputs:
        elements = tensor[0].numel()
        numbers = torch.arange(count, count + elements, device=tensor.device)
        features.append(numbers.view(1, *tensor.shape[1:]))
        count += elements
    return tuple(features)


def _text_features(prepared: Prepared, mask: Tensor | None) -> Tensor:
    """(1 or examples, tokens, width): one number per token, or that of the mask; -1 for special tokens."""
    embedded = prepared.inputs[0]
    numbers = torch.arange(embedded.shape[1], device=embedded.device).view(1, -1, 1) if mask is None else mask
    special = prepared.source.special(embedded.device).unsqueeze(2)  # (examples, tokens, 1)
    return torch.where(special, -1, numbers).expand(-1, *embedded.shape[1:])
