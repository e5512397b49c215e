"""Checks the quality metrics of a request against its method and the model."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.errors import InvalidRequest
from schemas.methods import AnyMethod, LayerMethod
from schemas.metric_requests import AnyQuality, Completeness, DeletionInsertion, Infidelity, SensitivityMax
from service.validation.baselines import valid_baselines
from service.validation.layers import explained_shape, find_layer, follows_the_text
from service.validation.model import ReadyModel

FLOATS = frozenset({"FP16", "FP32", "FP64"})
BASELINES = ("deletion_baseline", "insertion_baseline")


def check_quality(metrics: Sequence[AnyQuality], method: AnyMethod, model: ReadyModel) -> None:
    """Check that each metric is defined for a checked method.

    Raises:
        InvalidRequest: a metric is not defined for the method or the model; says why.
    """
    for index, metric in enumerate(metrics):
        for field, reason in _objections(metric, method, model):
            raise InvalidRequest.at(["quality", index, field], reason)


def _objections(metric: AnyQuality, method: AnyMethod, model: ReadyModel) -> Iterator[tuple[str, str]]:
    """The fields that do not fit, each with the reason."""
    match metric:
        case Completeness():
            yield from _of_completeness(method)
        case Infidelity():
            yield from _of_infidelity(metric, method, model)
        case SensitivityMax():
            yield from _of_sensitivity(method, model)
        case DeletionInsertion():
            yield from _of_curves(metric, method, model)


def _of_completeness(method: AnyMethod) -> Iterator[tuple[str, str]]:
    if method.promises_completeness:
        return
    if method.yields_rates:
        yield "name", f"{method.name} computes rates of change here, which do not add up to a difference of outputs"
    if not _has_baseline(method) or method.kind != "input":
        yield "name", f"{method.name} does not compare the output with that of a baseline"


def _of_infidelity(metric: Infidelity, method: AnyMethod, model: ReadyModel) -> Iterator[tuple[str, str]]:
    if method.kind == "layer":
        yield "name", f"the input is perturbed, and {method.name} attributes to a layer"
    yield from _of_other_questions(method)
    rates = method.yields_rates
    is_noise = metric.perturbation == "noise" or (metric.perturbation is None and rates)
    if is_noise and not _takes_noise(model):
        yield "perturbation", "noise is not defined for a model that takes integers: choose baseline"
    if not is_noise and metric.stdevs != Infidelity.model_fields["stdevs"].default:
        yield "stdevs", "belongs to the perturbation noise"


def _of_sensitivity(method: AnyMethod, model: ReadyModel) -> Iterator[tuple[str, str]]:
    if method.permutes:
        yield "name", f"{method.name} would exchange features between the perturbed copies"
    if model.input.kind == "text" and method.entry == "model":
        yield "name", f"{method.name} starts from token ids, which have no small perturbations"
    if not _takes_noise(model):
        yield "name", "the model takes integers, which have no small perturbations"


def _of_curves(metric: DeletionInsertion, method: AnyMethod, model: ReadyModel) -> Iterator[tuple[str, str]]:
    yield from _of_other_questions(method, permutes=True)
    if isinstance(method, LayerMethod) and not _lies_over_input(method, model):
        how = (
            "upsample to the picture" if model.input.kind == "image" else "choose a method that attributes to the input"
        )
        yield "name", f"{method.name} attributes to a layer, not to parts of the input that can be removed: {how}"
    for field in BASELINES:
        name = getattr(metric, field)
        known = valid_baselines(model)
        if name is not None and name not in known:
            yield field, f"not available for this model; give {', '.join(known)}"


def _of_other_questions(method: AnyMethod, *, permutes: bool = False) -> Iterator[tuple[str, str]]:
    if method.kind == "neuron":
        yield "name", f"{method.name} explains a unit of a layer; this metric evaluates the model's output"
    if method.permutes and not permutes:
        yield "name", f"{method.name} compares an example with other examples, not with a baseline"


def _lies_over_input(method: LayerMethod, model: ReadyModel) -> bool:
    if method.upsample:
        return True
    layer = find_layer(method, model)
    shape = explained_shape(method, layer) if layer is not None else None
    return shape is not None and follows_the_text(model, shape)


def _has_baseline(method: Any) -> bool:
    return getattr(method, "baseline", None) is not None


def _takes_noise(model: ReadyModel) -> bool:
    return model.input.kind == "text" or model.input.datatype in FLOATS
