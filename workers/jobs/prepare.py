"""From a claimed job to tensors in model space: the input preprocessed, baselines and masks resolved."""

import hashlib
from itertools import count, takewhile
from time import perf_counter
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, BaselineName, FeatureMethod, stored_method
from schemas.sentences import Sentence
from workers.inputs.prepared import Payload, Prepared, Tensors
from workers.jobs.fit import check_fits
from workers.jobs.job import ClaimedJob, PreparedJob
from workers.jobs.job_trace import stage
from workers.jobs.stored_input import read_stored_input
from workers.methods.explain_inputs import ExplainInputs
from workers.models.resident import ResidentModel

INPUT_PREFIXES = ("pixels", "text", "features", "input.")  # of the names of a payload's own inputs


def prepare_job(model: ResidentModel, job: ClaimedJob, method: AnyMethod | None = None) -> PreparedJob:
    """Decodes and preprocesses the input of a job, and moves it to the device.

    Args:
        method: the method of the job's spec, where the caller has parsed it already.

    Raises:
        ModelChanged: the job was checked against an earlier model of this name, and does not fit this one.
        InputRejected: the input cannot be used.
        Unreadable: it is no longer as the gateway stored it.
    """
    started = perf_counter()
    check_fits(job.spec, model.card)
    with stage(job.trace, "prepare"):
        method = method or stored_method(job.spec.method)
        payload = read_stored_input(model, job.spec, method, job.claim.payload)
        prepared = model.adapter.prepare(payload, model.engine.view.device)
        subject = make_explain_inputs(model, job.spec, method, payload, prepared)
    return PreparedJob(job, method, prepared, subject, prepare_s=perf_counter() - started)


def make_explain_inputs(
    model: ResidentModel, spec: JobSpec, method: AnyMethod, payload: Payload, prepared: Prepared
) -> ExplainInputs:
    """Adds to prepared input what the method needs: target, baselines, masks.

    Raises:
        InputRejected: a baseline or mask does not fit the input, or the input has too few features for the method.
    """
    baselines = _baselines(model, method, payload, prepared)
    feature_mask = _feature_mask(model, method, payload, prepared)
    _check_features(method, feature_mask or ())
    digest = baseline_digest = None
    if any(name.startswith(INPUT_PREFIXES) for name in payload):
        digest = _digest(payload, INPUT_PREFIXES)
        if baselines.inputs is not None:
            baseline_digest = _digest(payload, ("baseline",), digest, baselines.name)
    return ExplainInputs(
        inputs=prepared.inputs,
        additional_forward_args=prepared.additional_forward_args,
        targets=spec.target,
        baselines=baselines.inputs,
        baseline_distribution=baselines.distribution,
        feature_mask=feature_mask,
        layer_mask=_masks(payload, "layer_mask", prepared),
        layer_inputs=prepared.layer_inputs,
        layer_additional_forward_args=prepared.layer_additional_forward_args,
        layer_baselines=baselines.layer_inputs,
        layer_values=_layer_values(payload, prepared),
        digest=digest,
        baseline_digest=baseline_digest,
    )


class _Baselines(NamedTuple):
    """The baselines of a method, (examples, …) each, under the name by which they were requested."""

    name: BaselineName | None = None
    inputs: Tensors | None = None
    layer_inputs: Tensors | None = None
    distribution: Tensors | None = None  # (samples, …) each, for methods that draw their baselines


def _baselines(model: ResidentModel, method: AnyMethod, payload: Payload, prepared: Prepared) -> _Baselines:
    """The baselines of the payload; else those that the method names. A method without baselines has none.

    One baseline stands for all examples. The baseline `background` is the mean of the model's background set.
    """
    if "baseline" not in type(method).model_fields:
        return _Baselines()
    first = prepared.inputs[0]
    name = _baseline_name(model, method)
    sent = tuple(tensor.to(first.device, first.dtype) for tensor in _numbered(payload, "baseline"))
    if not sent and name != "background":
        named, layer_named = model.adapter.baseline(name, prepared)
        return _Baselines(name, named, layer_named, named)
    distribution = sent or _background(model)
    if method.baselines == "distribution":
        return _Baselines(name, distribution=distribution)
    rows = sent or tuple(samples.mean(dim=0, keepdim=True) for samples in distribution)
    baselines = tuple(_expanded(tensor, first.shape[0]) for tensor in rows)
    return _Baselines(name, baselines, baselines, distribution)


def _background(model: ResidentModel) -> Tensors:
    if model.background is None:
        raise InputRejected("the model has no background set")
    return model.background


def _digest(payload: Payload, prefixes: tuple[str, ...], *more: object) -> bytes:
    """A digest of the tensors whose names start with one of the prefixes, as the client sent them."""
    digest = hashlib.blake2b(repr(more).encode(), digest_size=16)
    for key in sorted(payload):
        if key.startswith(prefixes):
            tensor = payload[key]
            digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.digest()


def _layer_values(payload: Payload, prepared: Prepared) -> Tensors | None:
    """The values that replace a layer's output, (examples, …) each, in the precision of the layer's inputs."""
    like = prepared.layer_inputs[0]
    dtype = like.dtype if like.is_floating_point() else torch.get_default_dtype()
    given = [tensor.to(like.device, dtype) for tensor in _numbered(payload, "layer_baseline")]
    return tuple(_expanded(tensor, like.shape[0]) for tensor in given) or None


def _baseline_name(model: ResidentModel, method: Any) -> BaselineName:
    """The baseline that the request names, or the card's default."""
    if isinstance(method.baseline, str):
        return cast(BaselineName, method.baseline)
    if model.card.defaults is None:
        raise InputRejected("the model has no default baseline")
    return model.card.defaults.baseline


def _feature_mask(model: ResidentModel, method: Any, payload: Payload, prepared: Prepared) -> Tensors | None:
    """The mask of the payload; else the one that the method names, or the default of the kind of input."""
    if "feature_mask" not in type(method).model_fields:
        return None
    given = _masks(payload, "feature_mask", prepared)
    if given is not None:
        return given
    return model.adapter.feature_mask(method.feature_mask, prepared)


def _check_features(method: AnyMethod, masks: Tensors) -> None:
    """Checks what only the worker knows: how many words or tokens a text has, or superpixels a picture.

    Args:
        masks: (1 or examples, …) each, numbered from 0 without gaps.

    Raises:
        InputRejected: the method is not defined for so few features.
    """
    if not masks or not isinstance(method, FeatureMethod) or method.objection_to(1) is None:
        return
    for example in range(max(map(len, masks))):
        features = torch.cat([mask[min(example, len(mask) - 1)].flatten() for mask in masks])
        objection = method.objection_to(int(torch.bincount(features).count_nonzero()))
        if objection is not None:
            raise InputRejected(objection)


def _masks(payload: Payload, name: str, prepared: Prepared) -> Tensors | None:
    masks = _numbered(payload, name)
    return tuple(mask.to(prepared.inputs[0].device, torch.int64) for mask in masks) or None


def _numbered(payload: Payload, name: str) -> list[Tensor]:
    """`name.0`, `name.1`, … of the payload."""
    names = takewhile(payload.__contains__, (f"{name}.{number}" for number in count()))
    return [payload[one] for one in names]


def _expanded(baseline: Tensor, examples: int) -> Tensor:
    """(1 or examples, …) to (examples, …).

    Raises:
        InputRejected: the baseline has another number of rows.
    """
    if baseline.shape[0] not in (1, examples):
        raise InputRejected(
            Sentence("a baseline of {rows} rows for {examples} examples", rows=baseline.shape[0], examples=examples)
        )
    return baseline.expand(examples, *baseline.shape[1:])
