"""From a claimed job to tensors in model space: the input preprocessed, baselines and masks resolved."""

import hashlib
from time import perf_counter
from typing import Any, cast

import torch
from safetensors.torch import load
from torch import Tensor

from schemas.errors import InputRejected
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, BaselineName, stored_method
from schemas.traits import DISTRIBUTED
from workers.inputs.prepared import Payload, Prepared, Tensors
from workers.jobs.job import ClaimedJob, PreparedJob
from workers.methods.explain_inputs import ExplainInputs
from workers.models.load import ResidentModel

INPUT_PREFIXES = ("pixels", "text", "features", "input.")  # of the names of a payload's own inputs


def prepare_job(model: ResidentModel, job: ClaimedJob, method: AnyMethod | None = None) -> PreparedJob:
    """Decodes and preprocesses the input of a job, and moves it to the device.

    Args:
        method: the method of the job's spec, where the caller has parsed it already.

    Raises:
        InputRejected: the input cannot be used.
    """
    started = perf_counter()
    method = method or stored_method(job.spec.method)
    payload = load(job.claim.payload)
    prepared = model.adapter.prepare(payload, model.engine.view.device)
    subject = make_explain_inputs(model, job.spec, method, payload, prepared)
    return PreparedJob(job, method, prepared, subject, prepare_s=perf_counter() - started)


def make_explain_inputs(
    model: ResidentModel, spec: JobSpec, method: AnyMethod, payload: Payload, prepared: Prepared
) -> ExplainInputs:
    """Adds to prepared input what the method needs: target, baselines, masks.

    Raises:
        InputRejected: a baseline or mask does not fit the input.
    """
    examples = prepared.inputs[0].shape[0]
    digest = _digest(payload, INPUT_PREFIXES) if any(key.startswith(INPUT_PREFIXES) for key in payload) else None
    baselines = layer_baselines = baseline_distribution = name = None
    if "baseline" in type(method).model_fields:
        like = prepared.inputs[0]
        given = tuple(tensor.to(like.device, like.dtype) for tensor in _numbered(payload, "baseline")) or None
        name = _baseline_name(model, method)
        if given is not None:
            baseline_distribution = given
        elif name == "background":
            if model.background is None:
                raise InputRejected("the model has no background set")
            baseline_distribution = model.background
            given = tuple(rows.mean(dim=0, keepdim=True) for rows in model.background)
        else:
            baselines, layer_baselines = model.adapter.baseline(name, prepared)
            baseline_distribution = baselines
        if given is not None and method.name not in DISTRIBUTED:
            baselines = layer_baselines = tuple(_expanded(b, examples) for b in given)
    return ExplainInputs(
        inputs=prepared.inputs,
        additional_forward_args=prepared.additional_forward_args,
        targets=spec.target,
        baselines=baselines,
        baseline_distribution=baseline_distribution,
        feature_mask=_feature_mask(model, method, payload, prepared),
        layer_mask=_masks(payload, "layer_mask", prepared),
        layer_inputs=prepared.layer_inputs,
        layer_additional_forward_args=prepared.layer_additional_forward_args,
        layer_baselines=layer_baselines,
        layer_values=_layer_values(payload, prepared),
        digest=digest,
        baseline_digest=_digest(payload, ("baseline",), digest, name) if digest and baselines is not None else None,
    )


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
    if "feature_mask" not in type(method).model_fields:
        return None
    given = _masks(payload, "feature_mask", prepared)
    if given is not None:
        return given
    return model.adapter.feature_mask(method.feature_mask, prepared)


def _masks(payload: Payload, name: str, prepared: Prepared) -> Tensors | None:
    masks = _numbered(payload, name)
    return tuple(mask.to(prepared.inputs[0].device, torch.int64) for mask in masks) or None


def _numbered(payload: Payload, name: str) -> list[Tensor]:
    """`name.0`, `name.1`, … of the payload, in the order of their numbers."""
    numbers = sorted(int(key.removeprefix(f"{name}.")) for key in payload if key.startswith(f"{name}."))
    return [payload[f"{name}.{number}"] for number in numbers]


def _expanded(baseline: Tensor, examples: int) -> Tensor:
    """(1 or examples, …) to (examples, …).

    Raises:
        InputRejected: another number of rows.
    """
    if baseline.shape[0] not in (1, examples):
        raise InputRejected(f"a baseline of {baseline.shape[0]} rows for {examples} examples")
    return baseline.expand(examples, *baseline.shape[1:])
