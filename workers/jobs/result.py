"""One job, from its payload to its result. Knows the engine, not the job store."""

from dataclasses import dataclass
from importlib.metadata import version
from math import prod
from time import perf_counter

import torch
from captum.attr import LayerAttribution
from safetensors.numpy import save as save_arrays
from safetensors.torch import load
from torch import Tensor

from schemas.errors import InputRejected, NonFinite
from schemas.jobs import ClassRef, JobSpec, Targets
from schemas.limits import MAX_TENSOR_ELEMENTS as LARGEST
from schemas.methods import AnyMethod, echo, stored_method
from schemas.metrics import QualityReport
from schemas.models import ModelCard
from schemas.precision import PassPrecision
from schemas.results import ModelRef, Prediction, Provenance, ResultMeta, Timing
from schemas.tensors import DATATYPES, TensorSpec
from workers.engine.finite import all_finite
from workers.engine.task import Task
from workers.evaluation.audit import make_audit
from workers.evaluation.memory import perturbed_bytes
from workers.evaluation.report import assess
from workers.evaluation.tolerance import completeness_warnings, zero_warnings
from workers.inputs.prepared import Prepared, Tensors
from workers.jobs.prepare import make_explain_inputs
from workers.methods.explain import Outcome, explain
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.memory import expanded_bytes
from workers.models.load import ResidentModel
from workers.models.output_kind import as_told

TOP = 5  # predictions told
TOLD = 32  # values of a regression told
VERSIONS = {name: version(name) for name in ("attribution-service", "captum", "torch")}


@dataclass(frozen=True, slots=True)
class Asked:
    """A job as it was claimed; `payload` is its safetensors blob."""

    job_id: str
    spec: JobSpec
    payload: bytes
    queued_ms: float


@dataclass(frozen=True, slots=True)
class Ready:
    """A job whose input is decoded and preprocessed."""

    asked: Asked
    method: AnyMethod
    prepared: Prepared
    subject: ExplainInputs
    prepare_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A result as the job store keeps it."""

    meta: ResultMeta
    tensors: bytes  # safetensors, attributions by name


def answer(model: ResidentModel, task: Task, job_id: str, spec: JobSpec, payload: bytes, queued_ms: float) -> Answer:
    """Prepares, explains and describes. Called in the job's own thread; parks in the engine.

    Raises:
        JobError: the input cannot be used, the model failed on it, memory ran out, or the job was cancelled.
    """
    job = make_ready(model, Asked(job_id, spec, payload, queued_ms))
    started = perf_counter()
    audit = make_audit(model, spec, job.method, job.prepared, job.subject)
    needed = [
        expanded_bytes(job.method, job.subject, model.engine.batch_rows, _answer_bytes(model, job.subject)),
        perturbed_bytes(audit.metrics, job.method, job.subject, model.engine.batch_rows),
    ]
    with model.memory.lend(max(needed)):
        outcome = explain(model.engine, task, job.method, job.subject, spec.seed)
        quality = assess(model.engine, task, job.method, job.subject, outcome, audit, spec.seed)
    return describe(model, job, outcome, task, quality, run_s=perf_counter() - started)


def make_ready(model: ResidentModel, asked: Asked, method: AnyMethod | None = None) -> Ready:
    """Preprocesses a job's input. `method` is that of its spec, where it has been read before.

    Raises:
        InputRejected: it cannot be used.
    """
    started = perf_counter()
    method = method or stored_method(asked.spec.method)
    tensors = load(asked.payload)
    prepared = model.adapter.prepare(tensors, model.engine.view.device)
    subject = make_explain_inputs(model, asked.spec, method, tensors, prepared)
    return Ready(asked, method, prepared, subject, prepare_s=perf_counter() - started)


def describe(
    model: ResidentModel, job: Ready, outcome: Outcome, task: Task, quality: QualityReport | None, *, run_s: float
) -> Answer:
    """The result of a job as it is stored; `task` holds what it has cost.

    Raises:
        NonFinite: the attributions hold what is no number.
    """
    timing = Timing(
        queued_ms=round(job.asked.queued_ms, 3),
        prepare_ms=round(job.prepare_s * 1e3, 3),
        run_ms=round(run_s * 1e3, 3),
        wait_ms=round(max(0.0, task.parked_s - task.pass_s) * 1e3, 3),
        pass_ms=round(task.pass_s * 1e3, 3),
        rows=task.rows,
        passes=task.passes,
        fill=round(task.pass_rows / task.passes / model.engine.batch_rows, 3) if task.passes else None,
    )
    return _describe(model, job.asked.job_id, job.asked.spec, job.method, job.prepared, outcome, quality, timing)


def _answer_bytes(model: ResidentModel, subject: ExplainInputs) -> int:
    """Of one row, in the precision of the inputs or, for ids, in single precision."""
    shape = model.card.output.shape if model.card.output else []
    first = subject.inputs[0]
    return prod(shape) * (first.element_size() if first.is_floating_point() else 4) if len(shape) > 1 else 0


def _describe(
    model: ResidentModel,
    job_id: str,
    spec: JobSpec,
    method: AnyMethod,
    prepared: Prepared,
    outcome: Outcome,
    quality: QualityReport | None,
    timing: Timing,
) -> Answer:
    layered = method.kind == "layer"
    attributions = _on_wire(model, method, prepared, outcome.attributions)
    if not all(map(all_finite, attributions)):
        raise NonFinite("the attributions are not finite; a gradient of the model overflows on this input or baseline")
    described = model.adapter.describe(prepared, attributions, layered=layered)
    layer = getattr(method, "layer", None)
    named = dict(zip(_names(layer if layered else None, len(attributions)), attributions, strict=True))
    card = model.card
    meta = ResultMeta(
        id=job_id,
        model=ModelRef(name=card.name, version=card.version, digest=card.digest or ""),
        method=echo(method),
        layer=layer,
        target=target_classes(card, outcome.targets, prepared.inputs[0].shape[0]),
        predictions=_predictions(model, outcome),
        attributions=[
            TensorSpec(name=name, datatype=DATATYPES[str(t.dtype).removeprefix("torch.")], shape=list(t.shape))
            for name, t in named.items()
        ],
        convergence_delta=None if outcome.delta is None else outcome.delta.double().tolist(),
        convergence=outcome.convergence,
        tokens=described.tokens,
        words=described.words,
        features=described.features,
        picture=spec.picture,
        quality=quality,
        warnings=[
            *prepared.warnings,
            *_chance(model, spec.seed),
            *_without_gradient(model, method),
            *_warnings(model, method),
            *completeness_warnings(method, outcome),
            *zero_warnings(attributions),
        ],
        execution="alone" if model.engine.alone else "packed",
        execution_reason=model.engine.alone,
        timing=timing,
        provenance=Provenance(
            service=VERSIONS["attribution-service"],
            captum=VERSIONS["captum"],
            torch=VERSIONS["torch"],
            device=str(model.engine.view.device),
            dtype=str(prepared.inputs[0].dtype).removeprefix("torch."),
            seed=spec.seed,
            precision=card.precision or PassPrecision(),
        ),
    )
    return Answer(meta, _serialized({name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}))


def _serialized(tensors: dict[str, Tensor]) -> bytes:
    """As safetensors, by way of numpy, which takes a tenth of the time for a small tensor."""
    return save_arrays({name: tensor.numpy() for name, tensor in tensors.items()})


def _on_wire(model: ResidentModel, method: AnyMethod, prepared: Prepared, attributions: Tensors) -> Tensors:
    if method.kind != "layer":
        return model.adapter.on_wire(attributions, shared=method.perturbs == "input")
    if getattr(method, "upsample", False):
        size = tuple(prepared.inputs[0].shape[2:])
        grid = model.engine.view.grid
        return _upsampled(attributions if grid is None else tuple(grid.as_map(a) for a in attributions), size)
    return attributions


def _upsampled(attributions: Tensors, size: tuple[int, ...]) -> Tensors:
    """Maps, (examples, channels, height, width), interpolated to a size; what is no map as it is.

    Raises:
        InputRejected: that would be more numbers than a tensor may have.
    """
    are_maps = [attribution.dim() == 4 for attribution in attributions]
    if sum(prod((*a.shape[:2], *size)) for a, is_map in zip(attributions, are_maps, strict=True) if is_map) > LARGEST:
        raise InputRejected("the layer has too many channels for maps of the input's size; leave upsample out")
    return tuple(
        LayerAttribution.interpolate(a, size, "bilinear") if is_map else a
        for a, is_map in zip(attributions, are_maps, strict=True)
    )


def _names(layer: str | None, count: int) -> list[str]:
    base = layer or "input"
    return [base] if count == 1 else [f"{base}.{index}" for index in range(count)]


def target_classes(card: ModelCard, targets: Targets | None, examples: int) -> list[ClassRef] | None:
    """The explained outputs by index and label, one per example; None where none is known or meant."""
    if targets is None:
        return None
    labels = card.output.labels if card.output else None
    each = [ClassRef.of(target, labels) for target in targets]
    return each if len(each) == examples else each * examples


def _predictions(model: ResidentModel, outcome: Outcome) -> list[list[Prediction]]:
    """The highest outputs of each example, as `as_told` gives them.

    Where an output is a map per class, they are those of the position that is explained.
    """
    scores = outcome.outputs.double()
    position = None
    if scores.dim() > 2 and outcome.targets is not None:
        places = [target[1:] for target in outcome.targets if not isinstance(target, int)]
        places = places if len(places) == len(scores) else places * len(scores)
        scores = torch.stack([one[(slice(None), *place)] for one, place in zip(scores, places, strict=True)])
        position = places
    scores = scores.reshape(len(scores), -1)
    kind = model.output_kind
    scores = as_told(scores, kind)
    order = scores.topk(min(TOP, scores.shape[1]), dim=1).indices
    if kind == "regression":  # values are told in their own order
        order = torch.arange(min(TOLD, scores.shape[1]), device=scores.device).expand(len(scores), -1)
    labels = model.card.output.labels if model.card.output else None
    return [
        [
            Prediction(
                index=i, label=labels[i] if labels else None, score=s, position=position[row] if position else None
            )
            for i, s in zip(indices, values, strict=True)
        ]
        for row, (indices, values) in enumerate(zip(order.tolist(), scores.gather(1, order).tolist(), strict=True))
    ]


def _chance(model: ResidentModel, seed: int) -> list[str]:
    if not model.engine.view.random:
        return []
    return [f"the model draws random numbers in its forward; this result holds for seed {seed} alone"]


def _without_gradient(model: ResidentModel, method: AnyMethod) -> list[str]:
    """One line where gradients miss input elements that the model makes an index of."""
    columns = model.engine.view.index_columns
    if not columns or not method.gradients or method.kind == "layer":
        return []
    several = len(model.card.input.shapes) > 1 if model.card.input else False
    named = ", ".join(f"{element} of input {i}" if several else str(element) for i, element in columns[:TOLD])
    return [
        f"the output depends on input element {named}, which has no gradient (the model makes an index of it): "
        "gradient methods attribute 0 to it; use a method that perturbs the input, such as feature_ablation"
    ]


def _warnings(model: ResidentModel, method: AnyMethod) -> list[str]:
    if method.rules == "guided" and method.kind == "neuron":
        return guided_warnings(model.card, method)
    if not method.computes_grad_cam:
        return []
    if model.config.input.kind == "text":
        return ["Grad-CAM takes dimension 1 for channels; here it holds tokens, so read this map with care"]
    layer = next((one for one in model.card.layers if one.name == getattr(method, "layer", None)), None)
    if layer is not None and len(layer.output_shape or []) == 2 and layer.grid is None:
        return ["Grad-CAM takes dimension 1 for channels; if it holds tokens, tell their grid as explain.token_grid"]
    return []


def guided_warnings(card: ModelCard, method: AnyMethod) -> list[str]:
    """One line where a guided method at a unit has nothing to hook on the way from the input to the unit."""
    side = "input" if getattr(method, "attribute_to_neuron_input", False) else "output"
    layer = next((one for one in card.layers if one.name == getattr(method, "layer", None)), None)
    if layer is None or side not in layer.no_relu_before:
        return []
    return [
        f"no nn.ReLU lies between the model's input and the {side} of {layer.name!r}, and {method.name} changes "
        "nothing else: this is the plain gradient, as neuron_gradient gives it"
    ]
