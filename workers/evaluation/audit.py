"""What the metrics of a job are computed from, beside its problem: its features, and what takes their place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, BaselineName
from schemas.metric_requests import AnyQuality, Completeness, DeletionInsertion, stored_quality
from schemas.metrics import Unit
from schemas.models import OutputKind
from workers.inputs.prepared import Prepared, Tensors
from workers.methods.explain import references
from workers.methods.explain_inputs import ExplainInputs
from workers.models.resident import ResidentModel


@dataclass(frozen=True, slots=True)
class Replacement:
    """A baseline by its name, (examples, …) each."""

    name: str
    tensors: Tensors


@dataclass(frozen=True, slots=True)
class Audit:
    """Which metrics are wanted, and what they need.

    `units` number the features, (1 or examples, …) int64 as the inputs are; -1 marks what is no feature and stays.
    `removed` stands where features are taken away, `start` is what they are put into.
    """

    metrics: list[AnyQuality]
    unit: Unit
    units: Tensors
    removed: Replacement
    start: Replacement
    output: OutputKind  # how outputs are read: as probabilities, or as they are
    picture: bool

    @property
    def wanted(self) -> dict[str, AnyQuality]:
        return {metric.name: metric for metric in self.metrics}


def make_audit(
    model: ResidentModel, spec: JobSpec, method: AnyMethod, prepared: Prepared, subject: ExplainInputs
) -> Audit:
    """Resolves what a job's metrics need.

    Raises:
        InputRejected: a baseline does not fit the input.
    """
    metrics = stored_quality(spec.quality)
    kind, output = model.adapter.card.kind, model.output_kind
    if all(isinstance(metric, Completeness) for metric in metrics):  # which takes nothing away
        nothing = Replacement("", ())
        return Audit(metrics, "elements", (), nothing, nothing, output, picture=kind == "image")
    unit, units = _units(model, method, prepared, subject)
    asked = next((metric for metric in metrics if isinstance(metric, DeletionInsertion)), DeletionInsertion())
    removed = _replacement(model, method, prepared, subject, asked.deletion_baseline)
    start = removed
    if (name := asked.insertion_baseline or ("blur" if kind == "image" else None)) is not None:
        start = _replacement(model, method, prepared, subject, name)
    return Audit(
        metrics=metrics,
        unit=unit,
        units=units,
        removed=removed,
        start=start,
        output=output,
        picture=kind == "image",
    )


def _replacement(
    model: ResidentModel,
    method: AnyMethod,
    prepared: Prepared,
    subject: ExplainInputs,
    name: BaselineName | None,
) -> Replacement:
    """The baseline of this name; else the method's own, the mean of many; else the model's."""
    examples = subject.examples
    if name is None and (own := references(method, subject)) is not None:
        given = getattr(method, "baseline", None)
        shown = given if isinstance(given, str) else "tensor"
        if own is subject.baselines:
            return Replacement(shown, own)
        return _mean(shown, own, examples)
    chosen = name or (model.card.defaults.baseline if model.card.defaults else "zero")
    if chosen != "background":
        return Replacement(chosen, model.adapter.baseline(chosen, prepared)[0])
    if model.background is None:
        raise InputRejected("the model has no background set")
    return _mean("background", model.background, examples)


def _mean(name: str, samples: Tensors, examples: int) -> Replacement:
    means = (part.mean(dim=0, keepdim=True) for part in samples)
    return Replacement(f"mean of {name}", tuple(mean.expand(examples, *mean.shape[1:]) for mean in means))


def _units(model: ResidentModel, method: AnyMethod, prepared: Prepared, subject: ExplainInputs) -> tuple[Unit, Tensors]:
    """The features of an input: those of the mask; else pixels, tokens without the special ones, columns, elements."""
    kind = model.adapter.card.kind
    mask = subject.feature_mask
    if kind == "text":
        words = getattr(method, "feature_mask", None) == "words"
        return ("words" if words else "tokens"), (_text_units(prepared, mask[0] if mask is not None else None),)
    if mask is not None:
        return ("patches" if kind == "image" else "elements"), mask
    first = subject.inputs[0]
    if kind == "image":
        height, width = first.shape[2:]
        pixels = torch.arange(height * width, device=first.device).view(1, 1, height, width)
        return "pixels", (pixels.expand(1, *first.shape[1:]),)
    return ("columns" if kind == "tabular" else "elements"), every_element(subject.inputs)


def every_element(inputs: Tensors) -> Tensors:
    """Each element by itself, numbered through all inputs."""
    units, count = [], 0
    for tensor in inputs:
        each = tensor[0].numel()
        units.append(torch.arange(count, count + each, device=tensor.device).view(1, *tensor.shape[1:]))
        count += each
    return tuple(units)


def _text_units(prepared: Prepared, mask: Tensor | None) -> Tensor:
    """(1, tokens, width): one number per token, or per word; the frame of special tokens stays."""
    embedded = prepared.inputs[0]
    numbers = torch.arange(embedded.shape[1], device=embedded.device).view(1, -1, 1) if mask is None else mask
    special = torch.tensor(prepared.source.encoding.special_tokens_mask, device=embedded.device).bool()
    return torch.where(special.view(1, -1, 1), -1, numbers).expand(1, *embedded.shape[1:])
